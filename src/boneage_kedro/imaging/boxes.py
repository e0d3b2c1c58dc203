"""Boxes that are measured rather than cut: (4,) float64 ``left, top, right, bottom``, nan where there is none.

They count from the outer corner of the first pixel, as `boneage_kedro.masks.drawn.polygons` does and unlike the
transforms of `boneage_kedro.imaging.geometry`, which count from its centre.
"""

import math

import cv2
import numpy as np

from boneage_kedro.imaging.geometry import Box, map_points

NO_BOX = np.full(4, np.nan)


def box_around(mask: np.ndarray) -> np.ndarray:
    """The box of a (H, W) bool mask; `NO_BOX` of an empty one."""
    if not mask.any():
        return NO_BOX.copy()
    left, top, columns, rows = cv2.boundingRect(mask.astype(np.uint8))
    return np.array([left, top, left + columns, top + rows], float)


def scale_box(box: np.ndarray, shape: tuple[int, int], other: tuple[int, int]) -> np.ndarray:
    """The box in another size (rows, columns) of its picture; both sides may be scaled by different factors."""
    rows, columns = other[0] / shape[0], other[1] / shape[1]
    return box * np.array([columns, rows, columns, rows])


def map_box(box: np.ndarray, transform: np.ndarray) -> np.ndarray:
    """The upright box around a box that is mapped by a (2, 3) transform of pixel centres."""
    left, top, right, bottom = box
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    moved = map_points(corners - 0.5, transform) + 0.5
    return np.concatenate([moved.min(0), moved.max(0)])


def unmap_box(box: np.ndarray, transform: np.ndarray) -> np.ndarray:
    """The box in the frame that a (2, 3) transform comes from, such as the source of a picture of the store."""
    return map_box(box, cv2.invertAffineTransform(transform.astype(np.float64)))


def crop_box(box: np.ndarray, margin: float, shape: tuple[int, int]) -> Box:
    """Whole pixels around a box, with a margin on all sides as far as the picture reaches.

    Args:
        margin: as a share of the box's longer side.
        shape: (rows, columns) of the picture.

    Raises:
        ValueError: there is no box, or none of it is in the picture.
    """
    rows, columns = shape
    pad = margin * max(box[2] - box[0], box[3] - box[1])
    left, top, right, bottom = box + np.array([-pad, -pad, pad, pad])
    if not (min(right, columns) > max(left, 0) and min(bottom, rows) > max(top, 0)):
        raise ValueError(
            f"there is nothing to cut out: the box is {box.tolist()}, the picture {columns} x {rows}"
        )
    return Box(
        max(0, math.floor(left)),
        max(0, math.floor(top)),
        min(columns, math.ceil(right)),
        min(rows, math.ceil(bottom)),
    )
