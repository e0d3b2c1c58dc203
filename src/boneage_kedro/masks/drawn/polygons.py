"""Masks as outlines that a person can move, and back.

Points are (x, y), x to the right and y down, in pixels from the outer corner of the first pixel, so that the centre
of a pixel lies at 0.5, as in Labelme. (`boneage_kedro.imaging.geometry` counts from the centre of the first pixel.)
"""

from collections.abc import Iterable, Mapping

import cv2
import numpy as np

_CORNERS_TOO = np.ones((3, 3), np.uint8)


def mask_to_polygons(mask: np.ndarray, tolerance_px: float) -> list[np.ndarray]:
    """Outline each connected part of a mask along the outer edges of its pixels.

    Args:
        mask: (H, W) bool; pixels that touch by a corner are connected.
        tolerance_px: how far the outline may stray from the edges to do with fewer points (Douglas and Peucker);
            a part or hole too small for it keeps its exact outline.

    Returns:
        (N, 2) float64 points each, N at least 3, in no order. Labelme and Label Studio know no holes, so a hole is
        part of the outline round it, reached by a line there and back.
    """
    found, tree = cv2.findContours(_edge_grid(mask), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    outlines = [_simplify(outline[:, 0], tolerance_px) for outline in found]
    parents = [] if tree is None else tree[0, :, 3].tolist()
    polygons = {i: outlines[i] for i, parent in enumerate(parents) if parent < 0}
    for hole, parent in zip(outlines, parents, strict=True):
        if parent >= 0:
            polygons[parent] = _bridge(polygons[parent], hole)
    return list(polygons.values())


def polygons_to_mask(polygons: Iterable[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """The pixels whose centres lie within any of the outlines.

    What an outline goes round counts, once or more often, so that one whose ends overlap has no hole there; what it
    goes round and then back again does not, which is how `mask_to_polygons` writes holes.

    Args:
        polygons: (N, 2) points each; what lies outside the picture is cut off.
        shape: (rows, columns) of the picture.

    Returns:
        (rows, columns) bool.
    """
    mask = np.zeros(shape, bool)
    for polygon in polygons:
        left, top = np.clip(np.floor(polygon.min(0)), 0, shape[::-1]).astype(int)
        right, bottom = np.clip(np.ceil(polygon.max(0)), 0, shape[::-1]).astype(int)
        part = mask[top:bottom, left:right]
        part |= _winding(polygon - (left, top), part.shape) != 0
    return mask


def crosses_itself(polygon: np.ndarray) -> bool:
    """Whether any two edges of an outline cross, (N, 2) points; edges that only touch do not."""
    start, end = polygon, np.roll(polygon, -1, axis=0)
    # sides[i, j]: on which side of edge i the point j lies
    sides = np.sign(_cross((end - start)[:, None], polygon - start[:, None]))
    parted = sides * np.roll(sides, -1, axis=1) < 0  # edge i has the ends of edge j on either side
    return bool((parted & parted.T).any())


def labelled_polygons(
    mask: np.ndarray, labels: Mapping[str, int], tolerance_px: float
) -> list[tuple[str, np.ndarray]]:
    """Outlines of each labelled class in a mask (H, W) of codes, as `mask_to_polygons`; the background has none."""
    return [
        (label, polygon)
        for label, code in labels.items()
        if code
        for polygon in mask_to_polygons(mask == code, tolerance_px)
    ]


def _cross(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]


def _edge_grid(mask: np.ndarray) -> np.ndarray:
    """The mask on a grid of twice the resolution that has the corners of pixels, too, (2 H + 1, 2 W + 1).

    OpenCV's outlines run through the centres of the outermost pixels, half a pixel inside; on this grid those are
    the corners.
    """
    rows, columns = mask.shape
    grid = np.zeros((2 * rows + 1, 2 * columns + 1), np.uint8)
    grid[1::2, 1::2] = mask
    return cv2.dilate(grid, _CORNERS_TOO)


def _simplify(outline: np.ndarray, tolerance_px: float) -> np.ndarray:
    simple = cv2.approxPolyDP(outline, 2 * tolerance_px, closed=True)[:, 0]
    return (simple if len(simple) > 2 else outline) / 2


def _bridge(outline: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """One outline for both, over the point nearest to where the hole starts; OpenCV runs it the other way round."""
    at = int(((outline - hole[0]) ** 2).sum(1).argmin())
    return np.concatenate([outline[: at + 1], hole, hole[:1], outline[at:]])


def _winding(polygon: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """How often the outline goes round the centre of each pixel, (rows, columns) int32, negative the other way.

    Going along a row of pixels, it changes by one where an edge is crossed, up or down.
    """
    rows, columns = shape
    start = polygon - 0.5  # centres at whole numbers
    end = np.roll(start, -1, axis=0)
    down = start[:, 1] < end[:, 1]
    # an edge crosses at the very same place in both directions, so that a bridge leaves no trace
    top, bottom = np.where(down[:, None], start, end), np.where(down[:, None], end, start)
    first, last = (np.clip(np.ceil(ends[:, 1]), 0, rows).astype(int) for ends in (top, bottom))
    edge = np.repeat(np.arange(len(polygon)), last - first)
    row = np.arange(len(edge)) - (np.cumsum(last - first) - last)[edge]
    way = (row - top[edge, 1]) / (bottom - top)[edge, 1]
    x = top[edge, 0] + way * (bottom - top)[edge, 0]
    changes = np.zeros((rows, columns + 1), np.int32)
    column = np.clip(np.ceil(x), 0, columns).astype(int)
    np.add.at(changes, (row, column), np.where(down, 1, -1)[edge])
    return changes[:, :columns].cumsum(axis=1, dtype=np.int32)
