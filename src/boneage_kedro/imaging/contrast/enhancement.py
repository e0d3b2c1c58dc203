"""What a learned enhancement is compared with: simple ways to one contrast, by name, behind one signature.

All take a picture (H, W) float32, 0 to 1, with bright bone, and the hand in it, (H, W) bool; they return the picture
enhanced, of the same type and range, 0 outside the hand. A picture without a hand becomes black.
"""

from collections.abc import Callable, Iterable
from typing import Annotated

import cv2
import numpy as np
from typing_extensions import TypedDict

from boneage_kedro.imaging.contrast.tone_curve import check_picture
from boneage_kedro.limits import Count, Percentile, Within

Enhancement = Callable[[np.ndarray, np.ndarray], np.ndarray]

_WHITE = 255
_QUANTILES = np.linspace(0, 1, 257)


class ClaheSettings(TypedDict):
    """Contrast-limited adaptive histogram equalisation on so many ``tiles`` a side.

    ``clip_limit`` is the highest count of a gray level in a tile, as a multiple of what an even histogram has.
    """

    clip_limit: Annotated[float, Within(1)]
    tiles: Count


class PercentileSettings(TypedDict):
    """The percentiles of the hand that become black and white."""

    low: Percentile
    high: Percentile


class BaselineSettings(TypedDict):
    """Settings of the baselines that have any."""

    clahe: ClaheSettings
    scale_percentiles: PercentileSettings


def build_baselines(settings: BaselineSettings, reference: np.ndarray) -> dict[str, Enhancement]:
    """The baselines by name.

    Args:
        reference: quantiles of the gold standard (`reference_quantiles`).

    Raises:
        ValueError: the low percentile is not below the high one.
    """
    low, high = settings["scale_percentiles"]["low"], settings["scale_percentiles"]["high"]
    if low >= high:
        raise ValueError(f"scale_percentiles: low is {low:g}, not below high, {high:g}; correct one of them")
    limit, tiles = settings["clahe"]["clip_limit"], settings["clahe"]["tiles"]
    return {
        "identity": identity,
        "clahe": lambda image, inside: clahe(image, inside, limit, tiles),
        "match_histogram": lambda image, inside: match_histogram(image, inside, reference),
        "scale_percentiles": lambda image, inside: scale_percentiles(image, inside, low, high),
    }


def identity(image: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The hand as it is."""
    check_picture(image, inside)
    return _on_black(image, inside)


def clahe(image: np.ndarray, inside: np.ndarray, clip_limit: float, tiles: int) -> np.ndarray:
    """Contrast-limited adaptive histogram equalisation in 8 bits (Zuiderveld 1994; paper 001, section 3.3)."""
    check_picture(image, inside)
    equaliser = cv2.createCLAHE(clip_limit, (tiles, tiles))
    gray = np.round(_on_black(image, inside) * _WHITE).astype(np.uint8)
    return _on_black(equaliser.apply(gray).astype(np.float32) / _WHITE, inside)


def reference_quantiles(pictures: Iterable[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Mean over pictures of the quantiles of the hand, one picture in memory at a time.

    Args:
        pictures: (image, inside) pairs; those without a hand do not count.

    Returns:
        (257,) float64, rising; the first is the least gray value and the last the greatest.

    Raises:
        ValueError: there is no hand at all.
    """
    total, count = np.zeros(len(_QUANTILES)), 0
    for image, inside in pictures:
        check_picture(image, inside)
        if inside.any():
            total += np.quantile(image[inside], _QUANTILES)
            count += 1
    if not count:
        raise ValueError(
            "a reference histogram needs at least one picture with a hand; see that there is a gold one"
        )
    return total / count


def match_histogram(image: np.ndarray, inside: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Give the hand the histogram of a reference, by matching quantiles; equal gray values stay equal.

    Args:
        reference: (257,) from `reference_quantiles`.
    """
    check_picture(image, inside)
    if not inside.any():
        return np.zeros_like(image)
    _, places, counts = np.unique(image[inside], return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - counts / 2) / counts.sum()  # of the middle one among equals
    matched = np.zeros_like(image)
    matched[inside] = np.interp(ranks, _QUANTILES, reference)[places]
    return matched


def scale_percentiles(image: np.ndarray, inside: np.ndarray, low: float, high: float) -> np.ndarray:
    """Stretch the gray values from one percentile of the hand to another over the whole range, clipped."""
    check_picture(image, inside)
    if not inside.any():
        return np.zeros_like(image)
    black, white = np.percentile(image[inside], [low, high]).astype(np.float32)
    if white <= black:  # a hand of one gray value has no contrast to stretch
        return _on_black(image, inside)
    return _on_black(np.clip((image - black) / (white - black), 0, 1), inside)


def _on_black(image: np.ndarray, inside: np.ndarray) -> np.ndarray:
    return np.where(inside, image, np.float32(0))
