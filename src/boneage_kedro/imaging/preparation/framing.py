"""Framing: the exposed field inside scanner margins, collimator borders and frames."""

from collections.abc import Sequence

import cv2
import numpy as np

from boneage_kedro.imaging.geometry import Box

# Shares of the picture's contrast: neighbours in a frame's row differ by less than the first, and the frame
# ends where the level of the rows steps by more than the second.
_SMOOTH_SHARE = 0.04
_STEP_SHARE = 0.08
# Share of a row's pixels that may break the smoothness: lines of an outer frame, a frame that leans a little.
_ROUGH_PIXELS = 0.05
# A field smaller than this share of either side is no field but a mistake.
_LEAST_SIDE = 0.2
# A leaning field fills at least this share of the rectangle around it; a hand with its fingers fills less.
_LEAST_SOLID = 0.9
# A part smaller than this share of the picture may be a letter beside a fingertip.
_LEAST_PART = 0.05
# Frames lie within frames; more rings than these have not been seen.
_MOST_RINGS = 5


def find_field(thumbnail: np.ndarray) -> Box:
    """The box of the exposed field in a (H, W) float32 thumbnail; the whole thumbnail when there is no frame.

    Smooth rows and columns are peeled off from outside in, as far as the last step of gray level, so that
    nested frames come off ring by ring; then the margin around a leaning field. A row that crosses the hand is
    not smooth, and empty background without a step stays, so the hand is not cut.
    """
    whole, contrast = _whole(thumbnail), _contrast(thumbnail)
    if contrast <= 0:
        return whole
    box = _peel_all(thumbnail, contrast)
    leaning = _leaning_field(box.view(thumbnail), contrast)
    inner = Box(
        box.left + leaning.left, box.top + leaning.top, box.left + leaning.right, box.top + leaning.bottom
    )
    return box if _too_small(inner, whole) else inner


def second_part(thumbnail: np.ndarray) -> float:
    """How large the second part of a (H, W) float32 thumbnail is beside its largest, 0 to 1.

    Parts are what a smooth margin or background leaves: a field, or without one the hand and the letters. Two fields,
    or two hands, are of nearly one size.
    """
    contrast = _contrast(thumbnail)
    if contrast <= 0:
        return 0.0
    inside = _peel_all(thumbnail, contrast).view(thumbnail)
    # without their frame the gap between two fields may not be reached from a corner, within it the fields may not
    return max(_second_part(picture, contrast) for picture in (thumbnail, inside))


def _second_part(picture: np.ndarray, contrast: float) -> float:
    areas = sorted((cv2.contourArea(outline) for outline in _outlines(picture, contrast)), reverse=True)
    large = [area for area in areas if area >= _LEAST_PART * picture.size]
    return large[1] / large[0] if len(large) > 1 else 0.0


def _whole(picture: np.ndarray) -> Box:
    height, width = picture.shape
    return Box(0, 0, width, height)


def _contrast(thumbnail: np.ndarray) -> float:
    ordered = np.sort(thumbnail, axis=None)
    return float(ordered[int(0.95 * ordered.size)] - ordered[int(0.05 * ordered.size)])


def _peel_all(thumbnail: np.ndarray, contrast: float) -> Box:
    """The box without the frames that lie upright around it."""
    box = whole = _whole(thumbnail)
    for _ in range(_MOST_RINGS):
        peeled = _peel(thumbnail, box, contrast)
        if peeled == box or _too_small(peeled, whole):
            break
        box = peeled
    return box


def _too_small(box: Box, whole: Box) -> bool:
    return box.width < _LEAST_SIDE * whole.width or box.height < _LEAST_SIDE * whole.height


def _leaning_field(picture: np.ndarray, contrast: float) -> Box:
    """The upright box around a turned rectangle that lies on a smooth margin; the whole picture without one.

    The margin is what can be reached from the corners without a step of gray level. What it leaves is the field
    if it is as solid as a rectangle; in a picture without a frame it is the hand and the letters.
    """
    whole = _whole(picture)
    outlines = _outlines(picture, contrast)
    if not outlines:
        return whole
    outline = max(outlines, key=cv2.contourArea)
    _, (long, short), _ = cv2.minAreaRect(outline)
    if cv2.contourArea(outline) < _LEAST_SOLID * long * short:
        return whole
    left, top, columns, rows = cv2.boundingRect(outline)
    return Box(left, top, left + columns, top + rows)


def _outlines(picture: np.ndarray, contrast: float) -> Sequence[np.ndarray]:
    """Those of the parts that the margin leaves, as OpenCV gives them."""
    margin = _reached_from_corners(picture, _SMOOTH_SHARE * contrast)
    outlines, _ = cv2.findContours(1 - margin, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return outlines


def _reached_from_corners(picture: np.ndarray, step: float) -> np.ndarray:
    """1 where a path leads from a corner without a step of gray level, else 0, as (H, W) uint8."""
    height, width = picture.shape
    picture = picture.copy()  # OpenCV wants it whole
    reached = np.zeros((height + 2, width + 2), np.uint8)  # with the rim that OpenCV wants
    for x, y in ((0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1)):
        if not reached[y + 1, x + 1]:
            cv2.floodFill(picture, reached, (x, y), 0, step, step, 4 | cv2.FLOODFILL_MASK_ONLY | (1 << 8))
    return reached[1:-1, 1:-1]


def _peel(thumbnail: np.ndarray, box: Box, contrast: float) -> Box:
    """The box less one round of frame on its four sides."""
    rows = box.view(thumbnail)
    top, bottom = _margins(rows, contrast)
    columns = np.ascontiguousarray(rows[top : rows.shape[0] - bottom].T)
    left, right = _margins(columns, contrast)
    return Box(box.left + left, box.top + top, box.right - right, box.bottom - bottom)


def _margins(rows: np.ndarray, contrast: float) -> tuple[int, int]:
    """How many rows of frame lie before and after the field."""
    if min(rows.shape) < 2:
        return 0, 0
    rough = np.abs(rows[:, 1:] - rows[:, :-1]) >= _SMOOTH_SHARE * contrast
    smooth = np.count_nonzero(rough, axis=1) <= _ROUGH_PIXELS * rows.shape[1]
    return _margin(rows, smooth, contrast), _margin(rows[::-1], smooth[::-1], contrast)


def _margin(rows: np.ndarray, smooth: np.ndarray, contrast: float) -> int:
    """The length of the leading run of smooth rows, cut back to its last step of level."""
    run = len(smooth) if smooth.all() else int(np.argmin(smooth))
    if run in (0, len(smooth)):
        return 0
    level = np.sort(rows[: run + 1], axis=1)[:, rows.shape[1] // 2]
    steps = np.flatnonzero(np.abs(np.diff(level)) > _STEP_SHARE * contrast)
    return int(steps[-1]) + 1 if len(steps) else 0
