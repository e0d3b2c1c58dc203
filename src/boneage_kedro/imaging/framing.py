"""Framing: the exposed field inside scanner margins, collimator borders and frames."""

import numpy as np

from boneage_kedro.imaging.geometry import Box

# A row belongs to the frame when its middle 94% spans less than this share of the picture's contrast.
_FLAT_SHARE = 0.08
# The frame ends at a step of the row level of at least this share of the contrast.
_STEP_SHARE = 0.08
# A field smaller than this share of either side is no field but a mistake.
_LEAST_SIDE = 0.3


def find_field(thumbnail: np.ndarray) -> Box:
    """The box of the exposed field in a (H, W) float32 thumbnail; the whole thumbnail when there is no frame.

    Flat rows and columns are peeled off from outside in, as far as the last step of gray level, so that nested
    frames come off ring by ring. A row that crosses the hand is not flat, and empty background without a step
    stays, so the hand is never cut.
    """
    height, width = thumbnail.shape
    low, high = np.percentile(thumbnail, (1, 99))
    contrast = float(high - low)
    box = Box(0, 0, width, height)
    while contrast > 0:
        peeled = _peel(thumbnail, box, contrast)
        if peeled == box:
            break
        box = peeled
    whole = Box(0, 0, width, height)
    return box if min(box.width / width, box.height / height) >= _LEAST_SIDE else whole


def _peel(thumbnail: np.ndarray, box: Box, contrast: float) -> Box:
    """The box less one round of frame on its four sides."""
    rows = box.view(thumbnail)
    top, bottom = _margins(rows, contrast)
    columns = rows[top : rows.shape[0] - bottom].T
    left, right = _margins(columns, contrast)
    return Box(box.left + left, box.top + top, box.right - right, box.bottom - bottom)


def _margins(rows: np.ndarray, contrast: float) -> tuple[int, int]:
    """How many rows of frame lie before and after the field."""
    low, middle, high = np.percentile(rows, (3, 50, 97), axis=1)
    flat = high - low < _FLAT_SHARE * contrast
    return _margin(flat, middle, contrast), _margin(flat[::-1], middle[::-1], contrast)


def _margin(flat: np.ndarray, level: np.ndarray, contrast: float) -> int:
    """The length of the leading run of flat rows, cut back to its last step of level."""
    run = len(flat) if flat.all() else int(np.argmin(flat))
    if run in (0, len(flat)):
        return 0
    steps = np.flatnonzero(np.abs(np.diff(level[: run + 1])) > _STEP_SHARE * contrast)
    return int(steps[-1]) + 1 if len(steps) else 0
