"""Honest enhancement: changes of tone, sharpness and noise that leave the anatomy as it is, drawn at random.

Each takes a picture (H, W) float32 of 0 to 1, the hand (H, W) bool and a generator, and gives a picture of that kind.
The guard must let all of them pass.
"""

from collections.abc import Callable

import cv2
import numpy as np

Change = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]


def change_gamma(picture: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A power law, exponent 0.5 to 2."""
    return picture ** np.float32(np.exp(rng.uniform(-0.7, 0.7)))


def stretch(picture: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The gray range between a low and a high percentile of the hand, clipped."""
    low, high = np.percentile(picture[inside], [rng.uniform(0.5, 2), rng.uniform(98.5, 99.8)])
    return (picture - np.float32(low)) / np.float32(max(high - low, 1e-3))


def raise_contrast(picture: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A sigmoid curve after `stretch`."""
    steepness, middle = np.float32(rng.uniform(3, 8)), np.float32(rng.uniform(0.35, 0.65))
    stretched = np.clip(stretch(picture, inside, rng), 0, 1)
    black, white, curve = (1 / (1 + np.exp(-steepness * (gray - middle))) for gray in (0, 1, stretched))
    return (curve - black) / (white - black)


def brighten(picture: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A gain of 0.7 to 1.3 and an offset of -0.15 to 0.15."""
    return picture * np.float32(rng.uniform(0.7, 1.3)) + np.float32(rng.uniform(-0.15, 0.15))


def equalise(picture: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The share of the hand that is darker."""
    ordered = np.sort(picture[inside])
    return np.searchsorted(ordered, picture) / np.float32(len(ordered))


def equalise_locally(picture: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """CLAHE of clip limit 1 to 3 on 4 x 4 or 8 x 8 tiles."""
    tiles = int(rng.choice([4, 8]))
    clahe = cv2.createCLAHE(float(rng.uniform(1, 3)), (tiles, tiles))
    return clahe.apply(_levels(picture)) / np.float32(255)


def shade(picture: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An exposure that rises over the picture by up to 0.6 natural logarithms from edge to edge."""
    angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.3)
    y, x = (np.linspace(-1, 1, side, dtype=np.float32) for side in picture.shape)
    return picture * np.exp(np.float32(strength) * (np.cos(angle) * x + np.sin(angle) * y[:, None]))


def denoise(picture: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One of a Gaussian, a bilateral filter, half a median filter, and non-local means; all mild."""
    unit, kind = max(picture.shape) / 256, rng.integers(4)
    if kind == 0:
        return cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 0.6) * unit)
    if kind == 1:
        noise = float(np.median(np.abs(cv2.Laplacian(picture, cv2.CV_32F))[inside]))
        return cv2.bilateralFilter(picture, 5, 3 * noise + 0.01, 1.5 * unit)
    if kind == 2:
        return (cv2.medianBlur(picture, 3) + picture) / 2
    return cv2.fastNlMeansDenoising(_levels(picture), None, float(rng.uniform(2, 5)), 3, 11) / np.float32(255)


def sharpen(picture: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An unsharp mask of 0.2 to 1 times the detail finer than 0.6 to 2 pixels of 256."""
    coarse = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.6, 2) * max(picture.shape) / 256)
    return picture + np.float32(rng.uniform(0.2, 1)) * (picture - coarse)


def combine(picture: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A curve, then by chance CLAHE, denoising and sharpening."""
    curves = (change_gamma, stretch, raise_contrast)
    steps: list[Change] = [curves[rng.integers(len(curves))]]
    chances = ((equalise_locally, 0.5), (denoise, 0.4), (sharpen, 0.6))
    steps += [step for step, chance in chances if rng.random() < chance]
    for step in steps:
        picture = np.clip(step(picture, inside, rng), 0, 1).astype(np.float32)
    return picture


HONEST: dict[str, Change] = {
    "gamma": change_gamma,
    "percentiles": stretch,
    "contrast": raise_contrast,
    "brightness": brighten,
    "equalised": equalise,
    "clahe": equalise_locally,
    "shading": shade,
    "denoised": denoise,
    "sharpened": sharpen,
    "combined": combine,
}


def enhance_honestly(
    kind: str, picture: np.ndarray, inside: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """A picture changed in one of the `HONEST` ways: (H, W) float32, 0 to 1, and 0 outside the hand."""
    return np.where(inside, np.clip(HONEST[kind](picture, inside, rng), 0, 1), 0).astype(np.float32)


def _levels(picture: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
