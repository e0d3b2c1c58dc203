"""Measures of how far the structure of a hand was kept: edges, bone area, local correlation, and local change."""

from typing import NamedTuple

import cv2
import numpy as np

from boneage_kedro.evaluation.enhancement.tone_fit import (
    Explained,
    MaskedBlur,
    local_mean,
    through_tone_curve,
)

_GRAY_STEP = np.float32(1 / 255)
_CLEARLY = np.float32(0.25)  # local standard deviations over the local mean from which a pixel counts as bone
_TINY = 1e-6


class Surroundings(NamedTuple):
    """What is usual around each pixel; both (H, W) float32.

    Attributes:
        level: mean gray.
        contrast: standard deviation of the gray.
    """

    level: np.ndarray
    contrast: np.ndarray


def surroundings(picture: np.ndarray, counted: np.ndarray, window: float) -> Surroundings:
    """Mean and contrast of the counted pixels under a Gaussian, whose sigma is a share of the longer side."""
    weight = counted.astype(np.float32)
    middle = np.float32(picture[counted].mean())  # keeps the digits that the squares need
    level = local_mean(picture - middle, weight, window)
    squares = local_mean((picture - middle) ** 2, weight, window)
    return Surroundings(level + middle, np.sqrt(np.maximum(squares - level**2, 0)))


def added_structure(departure: np.ndarray, change: np.ndarray) -> np.ndarray:
    """By how much a change makes pixels depart more from their surroundings, 0 where less; all (H, W) float32."""
    return np.maximum(np.abs(departure + change) - np.abs(departure), 0)


def strongest(values: np.ndarray, count: int) -> float:
    """Mean magnitude of so many of the strongest of (N,) values, so that no single pixel decides."""
    return float(np.sort(np.abs(values))[-count:].mean())  # sorting is faster than np.partition here


def edge_shares(explained: Explained, enhanced: np.ndarray, smooth: MaskedBlur) -> tuple[float, float]:
    """Shares of the original's edges that are kept, and of the enhanced picture's that are new; 0 to 1.

    Kept are edges of the original in the tone of the enhanced picture, so that a blur loses some; new are those that
    neither tone nor sharpness gives.
    """
    inner = cv2.erode(explained.counted.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    toned, sharpened, seen = (
        _gradient(smooth(part), inner) for part in (explained.toned, explained.sharpened, enhanced)
    )
    length = np.hypot(*toned) + _TINY
    kept = np.clip((toned * seen).sum(0) / length, 0, length)
    new = np.maximum(np.hypot(*seen) - np.hypot(*sharpened), 0)
    return float(kept.sum() / (length.sum() + _TINY)), float(new.sum() / (np.hypot(*seen).sum() + _TINY))


def bone_shares(explained: Explained, around: Surroundings) -> tuple[float, float]:
    """Areas of bone that are kept and that are added, as shares of the original's; 1 and 0 where it shows none.

    Bone is what is clearly brighter than its surroundings, by one threshold for both pictures.
    """
    threshold = around.level + _CLEARLY * around.contrast + _GRAY_STEP
    before = explained.counted & (explained.sharpened > threshold)
    after = explained.counted & (explained.sharpened + explained.residual > threshold)
    area = np.count_nonzero(before)
    if not area:
        return 1.0, 0.0
    return float(np.count_nonzero(before & after) / area), float(np.count_nonzero(after & ~before) / area)


def structure_term(
    original: np.ndarray, enhanced: np.ndarray, counted: np.ndarray, window: float, steady: float
) -> np.ndarray:
    """Structure term of the SSIM for each counted pixel, (N,), -1 to 1: local correlation, whatever the contrast.

    Wang Z, Bovik AC, Sheikh HR, Simoncelli EP, IEEE Trans Image Process 2004;13:600-612, equation 10. The original is
    given the histogram of the enhanced picture first.

    Args:
        original, enhanced: (H, W) float32, 0 to 1.
        counted: (H, W) bool.
        window: standard deviation of the Gaussian, a share of the longer side.
        steady: contrast, as a share of the hand's, below which correlation says little.
    """
    mean = MaskedBlur(counted, window * max(counted.shape))
    matched = through_tone_curve(original, enhanced, counted)
    x, y = (part - np.float32(part[counted].mean()) for part in (matched, enhanced))
    mean_x, mean_y = mean(x), mean(y)
    variances = [np.maximum(mean(part * part) - level**2, 0) for part, level in ((x, mean_x), (y, mean_y))]
    covariance = mean(x * y) - mean_x * mean_y
    constant = np.float32(steady**2 * x[counted].var()) + _GRAY_STEP**2
    similar = (covariance + constant) / (np.sqrt(variances[0] * variances[1]) + constant)
    return similar[counted]


def _gradient(picture: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """Central differences along x and y of N pixels; (2, N) float32."""
    return np.stack([cv2.Sobel(picture, cv2.CV_32F, *order, ksize=1)[inner] for order in ((1, 0), (0, 1))])
