"""Geometry of the canvas: affine maps between the pixels of the source and those of the canvas.

Points are (x, y) with the centre of the first pixel at (0, 0), as in OpenCV. Transforms are (2, 3) float32.
"""

from typing import NamedTuple

import cv2
import numpy as np


class Box(NamedTuple):
    """A rectangle of whole pixels: columns ``left`` to ``right`` and rows ``top`` to ``bottom``, ends excluded."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Columns inside the box."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Rows inside the box."""
        return self.bottom - self.top

    def view(self, pixels: np.ndarray) -> np.ndarray:
        """The part of (H, W) pixels inside the box, not copied."""
        return pixels[self.top : self.bottom, self.left : self.right]


class Pose(NamedTuple):
    """How a picture is brought upright: mirrored left to right first, then turned counter-clockwise."""

    mirrored: bool
    quarter_turns: int

    def apply(self, pixels: np.ndarray) -> np.ndarray:
        """Mirror and turn (H, W) pixels; a view, not a copy."""
        return np.rot90(pixels[:, ::-1] if self.mirrored else pixels, self.quarter_turns)


UPRIGHT = Pose(mirrored=False, quarter_turns=0)


def fitted_size(box: Box, canvas_px: int) -> tuple[int, int]:
    """Width and height of the box when its long side is scaled to the canvas; never below one pixel."""
    scale = canvas_px / max(box.width, box.height)
    return max(1, round(box.width * scale)), max(1, round(box.height * scale))


def canvas_transform(box: Box, pose: Pose, canvas_px: int) -> np.ndarray:
    """The (2, 3) map of source points to canvas points for a box scaled, brought upright and centred."""
    width, height = fitted_size(box, canvas_px)
    steps = [_scaling(box, width, height)]
    if pose.mirrored:
        steps.append(np.array([[-1, 0, width - 1], [0, 1, 0], [0, 0, 1]], np.float64))
    for _ in range(pose.quarter_turns % 4):
        steps.append(np.array([[0, 1, 0], [-1, 0, width - 1], [0, 0, 1]], np.float64))
        width, height = height, width
    steps.append(
        np.array([[1, 0, (canvas_px - width) // 2], [0, 1, (canvas_px - height) // 2], [0, 0, 1]], np.float64)
    )
    total = np.eye(3)
    for step in steps:
        total = step @ total
    return total[:2].astype(np.float32)


def rescale_transform(transform: np.ndarray, canvas_px: int, other_px: int) -> np.ndarray:
    """The map of source points to a canvas of another size, from that to a canvas of ``canvas_px``."""
    scale = other_px / canvas_px
    scaled = transform.astype(np.float64) * scale
    scaled[:, 2] += 0.5 * scale - 0.5  # pixel edges, not centres, coincide
    return scaled.astype(np.float32)


def _scaling(box: Box, width: int, height: int) -> np.ndarray:
    """Source to resized pixels; pixel edges, not centres, coincide, which gives the halves."""
    x, y = width / box.width, height / box.height
    return np.array(
        [[x, 0, (0.5 - box.left) * x - 0.5], [0, y, (0.5 - box.top) * y - 0.5], [0, 0, 1]], np.float64
    )


def resize(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize (H, W) pixels to ``size`` (width, height), averaging over areas when it gets smaller.

    Goes by bilinear interpolation to the next whole multiple of the size and then takes the exact mean of
    blocks. That stays within half a gray level (root mean square) of OpenCV's INTER_AREA on radiographs and
    suppresses what is too fine as well, at a third of the time, since both steps have fast paths.
    """
    multiple = max(-(-pixels.shape[1] // size[0]), -(-pixels.shape[0] // size[1]))
    if multiple == 1:
        return cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR)
    fine = cv2.resize(pixels, (size[0] * multiple, size[1] * multiple), interpolation=cv2.INTER_LINEAR)
    return cv2.resize(fine, size, interpolation=cv2.INTER_AREA)


def centre_on_canvas(pixels: np.ndarray, canvas_px: int) -> np.ndarray:
    """Put (H, W) pixels in the middle of a black (canvas_px, canvas_px) picture of the same type."""
    height, width = pixels.shape
    top, left = (canvas_px - height) // 2, (canvas_px - width) // 2
    canvas = np.zeros((canvas_px, canvas_px), pixels.dtype)
    canvas[top : top + height, left : left + width] = pixels
    return canvas


def map_points(points: np.ndarray, transform: np.ndarray) -> np.ndarray:
    """Map (N, 2) points (x, y) by a (2, 3) transform."""
    return np.asarray(points, np.float64) @ transform[:, :2].T.astype(np.float64) + transform[:, 2]


def to_source(image: np.ndarray, transform: np.ndarray, source_shape: tuple[int, int]) -> np.ndarray:
    """Bring a mask or overlay from the canvas back into the frame of the source picture.

    Args:
        image: (canvas_px, canvas_px) or (canvas_px, canvas_px, 3). Floating point is interpolated; whole
            numbers and truth values are taken as labels and keep their values.
        transform: (2, 3) map of source to canvas points, from `Prepared.transform`.
        source_shape: (rows, columns) of the source; what the canvas does not show is 0.
    """
    height, width = source_shape
    labels = not np.issubdtype(image.dtype, np.floating)
    flags = cv2.WARP_INVERSE_MAP | (cv2.INTER_NEAREST if labels else cv2.INTER_LINEAR)
    picture = image.astype(np.uint8) if image.dtype == bool else image
    return cv2.warpAffine(picture, transform, (width, height), flags=flags).astype(image.dtype)
