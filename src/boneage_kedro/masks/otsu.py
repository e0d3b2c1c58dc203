"""From a probability of the foreground to a mask: by a fixed threshold, or by Otsu's (paper 001, equation 2)."""

from typing import Literal

import cv2
import numpy as np

MaskThreshold = Literal["half", "otsu"]

_LEVELS = 255


def binarise(foreground: np.ndarray, threshold: MaskThreshold) -> np.ndarray:
    """The mask (H, W) uint8, 0 and 1, of a foreground probability (H, W) in 0 to 1; see `threshold_of`."""
    return (foreground > threshold_of(foreground, threshold)).astype(np.uint8)


def threshold_of(foreground: np.ndarray, threshold: MaskThreshold) -> float:
    """The probability above which a pixel of this picture is foreground.

    Args:
        foreground: (H, W) floating point, 0 to 1.
        threshold: ``half`` is 0.5, the most likely class; ``otsu`` parts the histogram of the picture's
            probabilities, in steps of 1/255, so that the variance between the two parts is largest (Otsu 1979).

    Otsu's method finds two parts in anything, even in a picture without a hand. Where the means of both lie on the
    same side of 0.5 they are not foreground and background, and 0.5 is taken.

    Raises:
        ValueError: the threshold is another.
    """
    if threshold == "half":
        return 0.5
    if threshold != "otsu":
        raise ValueError(f"mask threshold {threshold!r} is not one of half, otsu")
    levels = (foreground * _LEVELS).round().astype(np.uint8)
    level, _ = cv2.threshold(levels, 0, _LEVELS, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    above = levels > level
    if above.all() or not above.any():
        return 0.5
    two_modes = levels[~above].mean() < _LEVELS / 2 < levels[above].mean()
    return (level + 0.5) / _LEVELS if two_modes else 0.5
