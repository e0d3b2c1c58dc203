"""How well exposed a hand is, and which hands may serve as the gold standard."""

from collections.abc import Hashable, Mapping
from typing import NamedTuple

import cv2
import numpy as np

from boneage_kedro.imaging.contrast.tone_curve import check_picture
from boneage_kedro.limits import Share

# A window of this standard deviation, part of the long side, holds a bone of a finger and the flesh beside it.
_WINDOW_SHARE = 0.02
_LEAST_PIXELS = 25  # fewer tell nothing
_WHITE = 255
# Second differences of second differences: blind to brightness and slopes, 6 times the noise of a pixel.
_NOISE_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_NOISE_GAIN = 6.0
_MEDIAN_OF_NORMAL = 0.6745  # median of the absolute value of a standard normal


class Exposure(NamedTuple):
    """How well a hand is exposed, in gray values of 0 to 1.

    Attributes:
        score: 0 is useless, the median of 999 radiographs of the RSNA challenge 0.07, the best have 0.11.
        clipped: share of the hand that is black or white.
        spread: from the 5th to the 95th percentile of the hand.
        contrast: of bone and soft tissue: the standard deviation in a window as wide as a finger, exceeded in three
            quarters of the hand. Burnt-out wrists and fingers that drown in black both lower it, and a hand that is
            bright at the wrist and dark at the fingers does not raise it.
        noise: standard deviation of a pixel.
        reason: what lowers the score most, in words.
    """

    score: float
    clipped: float
    spread: float
    contrast: float
    noise: float
    reason: str


def exposure_score(image: np.ndarray, inside: np.ndarray) -> Exposure:
    """How well exposed a hand is: ``(contrast - noise) * (1 - clipped)``, at least 0.

    Args:
        image: (H, W) float32, 0 to 1, bone bright.
        inside: (H, W) bool, the hand.

    Raises:
        TypeError, ValueError: as `check_picture`.
    """
    check_picture(image, inside)
    sigma = _WINDOW_SHARE * max(image.shape)
    core = _erode(inside, round(sigma / 2))  # the edge of the skin is all contrast, and tells nothing of bone
    if core.sum() < _LEAST_PIXELS:
        return Exposure(0.0, 0.0, 0.0, 0.0, 0.0, "the hand is too small to judge")
    hand = image[inside]
    clipped = float(np.mean((hand < 0.5 / _WHITE) | (hand > 1 - 0.5 / _WHITE)))
    low, high = np.percentile(hand, [5, 95]).tolist()
    contrast = float(np.percentile(_local_deviation(image, inside, sigma)[core], 25))
    noise = _noise(image, core)
    score = max(0.0, contrast - noise) * (1 - clipped)
    return Exposure(score, clipped, high - low, contrast, noise, _reason(clipped, contrast, noise))


def choose_gold(scores: Mapping[str, float], share: Share, strata: Mapping[str, Hashable]) -> list[str]:
    """The best exposed share of the cases of each stratum, rounded, but at least one; sorted by id.

    Strata are to be bands of age: young hands have less bone to show, and would be rare among the best of all. (Of
    999 radiographs of the RSNA challenge the better half held 31% of those under 5 years and 72% of those over 14.)

    Args:
        scores: by id; cases of 0 are never gold.
        strata: by id; cases that it lacks make one of their own.
    """
    groups: dict[Hashable, list[str]] = {}
    for key in sorted(scores, key=lambda key: (-scores[key], key)):
        if scores[key] > 0:
            groups.setdefault(strata.get(key), []).append(key)
    return sorted(key for group in groups.values() for key in group[: max(1, round(share * len(group)))])


def _local_deviation(image: np.ndarray, inside: np.ndarray, sigma: float) -> np.ndarray:
    """Standard deviation of the hand in a Gaussian window about each pixel, (H, W) float32."""
    weight = np.maximum(_smooth(inside.astype(np.float32), sigma), np.float32(1e-6))
    hand = np.where(inside, image, np.float32(0))
    mean = _smooth(hand, sigma) / weight
    return np.sqrt(np.maximum(_smooth(hand**2, sigma) / weight - mean**2, 0))


def _noise(image: np.ndarray, core: np.ndarray) -> float:
    """The standard deviation of a pixel (Immerkaer J, Comput Vis Image Underst 1996;64:300), by the median.

    The median passes over the outlines of bones.
    """
    return (
        float(np.median(np.abs(cv2.filter2D(image, -1, _NOISE_MASK))[core])) / _MEDIAN_OF_NORMAL / _NOISE_GAIN
    )


def _reason(clipped: float, contrast: float, noise: float) -> str:
    if clipped * contrast > noise:
        return f"{clipped:.0%} of the hand is black or white"
    if 3 * noise > contrast:
        return f"noise of {noise:.3f} beside a contrast of {contrast:.3f}"
    return f"contrast of bone and soft tissue {contrast:.3f}"


def _erode(mask: np.ndarray, radius: int) -> np.ndarray:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.erode(mask.astype(np.uint8), disc, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0


def _smooth(image: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
