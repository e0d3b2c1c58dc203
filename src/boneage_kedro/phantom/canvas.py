"""The plane the bones are drawn on: bone mineral summed along the ray, and the label of the bone on top."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


@dataclass(frozen=True)
class View:
    """Where the hand frame (mm, y up) lies in the picture (pixels, y down).

    Attributes:
        scale: pixels a millimetre.
        rotation_deg: clockwise turn of the hand in the picture.
        origin: x y in pixels of the wrist joint.
        shape: height and width of the picture.
    """

    scale: float
    rotation_deg: float
    origin: tuple[float, float]
    shape: tuple[int, int]

    def directions(self, vectors: np.ndarray) -> np.ndarray:
        """Turn vectors (..., 2) of the hand frame into the picture, keeping their length."""
        radians = np.radians(self.rotation_deg)
        sin, cos = np.sin(radians), np.cos(radians)
        x, y = vectors[..., 0], vectors[..., 1]
        return np.stack([x * cos + y * sin, x * sin - y * cos], axis=-1)

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Pixel coordinates x y of points (..., 2) in mm."""
        return self.scale * self.directions(points) + np.array(self.origin)


class Patch(NamedTuple):
    """A window of the canvas with the coordinates of a bone: `along` and `across` in mm, float32 (h, w)."""

    window: tuple[slice, slice]
    along: np.ndarray
    across: np.ndarray


class Canvas:
    """Accumulates bones.

    Attributes:
        mineral: (H, W) float32, attenuation that bone adds to the tissue it displaces (natural logarithm).
        labels: (H, W) uint8, the code drawn last where bones overlap.
        texture: (H, W) float32, factor about 1 on spongy bone.
    """

    def __init__(self, view: View, texture: np.ndarray) -> None:
        self.view = view
        self.texture = texture
        self.mineral = np.zeros(view.shape, np.float32)
        self.labels = np.zeros(view.shape, np.uint8)

    def patch(
        self, start: np.ndarray, heading: np.ndarray, along: tuple[float, float], across: float
    ) -> Patch | None:
        """Window around a box that begins at `start` (mm), or None where all of it lies outside.

        `along` is the extent in the direction `heading`, `across` the half-width to each side, all in mm.
        """
        view = self.view
        axis = view.directions(heading)
        side = view.directions(np.array([heading[1], -heading[0]]))
        corner = view.pixels(start)
        box = np.array(
            [corner + view.scale * (a * axis + b * side) for a in along for b in (-across, across)]
        )
        height, width = view.shape
        x0, y0 = np.maximum(np.floor(box.min(0)).astype(int), 0)
        x1, y1 = np.minimum(np.ceil(box.max(0)).astype(int) + 1, (width, height))
        if x0 >= x1 or y0 >= y1:
            return None
        x = (np.arange(x0, x1, dtype=np.float32) - np.float32(corner[0])) / np.float32(view.scale)
        y = (np.arange(y0, y1, dtype=np.float32)[:, None] - np.float32(corner[1])) / np.float32(view.scale)
        a, b = axis.astype(np.float32), side.astype(np.float32)
        return Patch((slice(y0, y1), slice(x0, x1)), x * a[0] + y * a[1], x * b[0] + y * b[1])

    def coverage(self, depth: np.ndarray) -> np.ndarray:
        """Share of each pixel inside a shape whose inner distance is `depth` (mm)."""
        return np.clip(depth * np.float32(self.view.scale) + np.float32(0.5), 0, 1)

    def add(self, patch: Patch, mineral: np.ndarray) -> None:
        """Add the attenuation of one bone."""
        self.mineral[patch.window] += mineral

    def label(self, patch: Patch, depth: np.ndarray, code: int) -> None:
        """Write a code where `depth` is not negative, over what was drawn before."""
        self.labels[patch.window][depth >= 0] = code
