"""Polarity: whether bone is bright, judged by what surrounds the hand."""

import numpy as np


def background_excess(field: np.ndarray) -> float:
    """How much brighter the rim of the field is than its middle, in units of the field's contrast, -1..1.

    Air surrounds the hand and is the extreme of the gray range, so a rim that is clearly brighter than the
    middle means a white background.
    """
    low, high = np.percentile(field, (2, 98))
    if high <= low:
        return 0.0
    height, width = field.shape
    y, x = height // 4, width // 4
    middle = np.median(field[y : height - y, x : width - x])
    rim = np.median(np.concatenate([field[:2].ravel(), field[:, :2].ravel(), field[:, -2:].ravel()]))
    return float(np.clip((rim - middle) / (high - low), -1, 1))
