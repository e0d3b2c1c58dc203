"""Intensity: the part of the gray range that shows the hand, spread over 8 bits."""

from typing import NamedTuple

import cv2
import numpy as np

# Letter strokes and wires are thinner than this share of the long side, the palm and the wrist are not.
_BROAD_SHARE = 0.07
# Of the brightest broad patch; palm and wrist reach it, and what is bright within them is bone.
_NEARLY_AS_BRIGHT = 0.8
# Corners of leaning frames lie in this outer share of each side; the hand and the air around it reach further in.
_RIM_SHARE = 0.15


class Window(NamedTuple):
    """The gray values of the source that become black (``low``) and white (``high``)."""

    low: float
    high: float


def exposure_window(field: np.ndarray, low_percentile: float, high_percentile: float) -> Window:
    """The robust gray range of the hand and the air around it, without bright letters and corners of frames.

    Args:
        field: (H, W) float32 thumbnail of the exposed field, bone bright.
        low_percentile, high_percentile: in 0..100; what lies outside them is clipped.
    """
    y, x = (round(side * _RIM_SHARE) for side in field.shape)
    inner = field[y : field.shape[0] - y, x : field.shape[1] - x]
    ordered = np.sort(inner[inner <= _brightest_broad(inner)])
    last = len(ordered) - 1
    low = float(ordered[round(last * low_percentile / 100)])
    high = float(ordered[round(last * high_percentile / 100)])
    return Window(low, high)


def _brightest_broad(field: np.ndarray) -> float:
    """The brightest value within a broad bright patch; letters and thin bright lines fill none.

    What a patch is filled with is its darkest value; its bones are brighter, and must not be clipped as letters are.
    """
    size = max(3, round(max(field.shape) * _BROAD_SHARE))
    patch = np.ones((size, size), np.uint8)
    filled = cv2.morphologyEx(field, cv2.MORPH_OPEN, patch, borderType=cv2.BORDER_REPLICATE)
    darkest = field.min()
    return float(field[filled >= darkest + _NEARLY_AS_BRIGHT * (filled.max() - darkest)].max())


def apply_window(pixels: np.ndarray, window: Window, inverted: bool) -> np.ndarray:
    """Spread the window over 0..255, clipped, as uint8; an empty window (a constant picture) gives black.

    With ``inverted`` the window's ``high`` is still the brighter gray value of the source, and becomes black.
    """
    if window.high <= window.low:
        return np.zeros(pixels.shape, np.uint8)
    gain = 255 / (window.high - window.low)
    gain, offset = (-gain, gain * window.high) if inverted else (gain, -gain * window.low)
    # A sum with nothing: OpenCV's quickest way to scale, round and clip any type in one pass.
    return cv2.addWeighted(pixels, gain, pixels, 0, offset, dtype=cv2.CV_8U)
