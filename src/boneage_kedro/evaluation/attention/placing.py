"""Laying a coarse attention map onto the picture it explains, where its cells really look.

A map of h x h cells is commonly stretched over the picture as if each cell saw its own h-th of it. What a cell is
centred on depends on the padding of every strided layer, though: in a ResNet the first cell looks at the very corner,
in an EfficientNet with the padding of TensorFlow the last one does. Stretched maps are off by up to half a cell.
"""

from collections.abc import Iterable, Iterator, Mapping

import cv2
import numpy as np

from boneage_kedro.imaging.geometry import Box, map_points, to_source


class PlacedMaps(Mapping[str, np.ndarray]):
    """Maps by id, laid onto their pictures one by one when they are asked for: all at once may not fit into memory.

    Args:
        ids: of the maps, in their order.
        maps, first_px, stride_px, picture_px: as in `place_maps`.
    """

    def __init__(
        self, ids: Iterable[str], maps: np.ndarray, first_px: float, stride_px: float, picture_px: int
    ) -> None:
        self._maps = dict(zip(ids, maps, strict=True))
        self._grid = first_px, stride_px, picture_px

    def __getitem__(self, key: str) -> np.ndarray:
        """(picture_px, picture_px) months."""
        return np.asarray(place_maps(self._maps[key][None], *self._grid)[0])

    def __iter__(self) -> Iterator[str]:
        return iter(self._maps)

    def __len__(self) -> int:
        return len(self._maps)


def place_maps(maps: np.ndarray, first_px: float, stride_px: float, picture_px: int) -> np.ndarray:
    """Enlarge maps to the size of their pictures, each cell about its middle and smoothly in between.

    Args:
        maps: (n, h, w) months; the mean of a map is its part of the age.
        first_px, stride_px: where their cells look (`boneage_kedro.models.cell_grid.locate_cells`).
        picture_px: side of the square picture that the network saw.

    Returns:
        (n, picture_px, picture_px) months; each cell brings as much as before, so the means stay.

    Raises:
        ValueError: a cell would lie outside of the picture altogether.
    """
    rows, columns = (_spread(count, first_px, stride_px, picture_px) for count in maps.shape[1:])
    return np.einsum("yr,nrc,xc->nyx", rows, maps, columns, optimize=True)


def move_map(placed: np.ndarray, part: Box, own: np.ndarray, other: np.ndarray, side_px: int) -> np.ndarray:
    """A map of a part of a radiograph, such as its hand, brought onto another picture of the same radiograph.

    Args:
        placed: (P, P) months, of `place_maps`.
        part: what the network saw, in pixels of the radiograph.
        own, other: (2, 3) maps of points of the radiograph to those of the map and of the other picture.
        side_px: of the other picture.

    Returns:
        (side_px, side_px) months, 0 outside of the part; what lay beside it on the network's canvas is not shown.
    """
    back = np.vstack([cv2.invertAffineTransform(other.astype(np.float64)), [0, 0, 1]])
    moved = to_source(placed, own.astype(np.float64) @ back, (side_px, side_px))
    edges = np.array([[part.left, part.top], [part.right, part.bottom]]) - 0.5  # of pixels, not their centres
    corners = np.sort(np.rint(map_points(edges, other) + 0.5), axis=0).clip(0, side_px).astype(int)
    seen, shown = Box(*corners.ravel().tolist()), np.zeros_like(moved)
    seen.view(shown)[:] = seen.view(moved)
    return shown


def _spread(cells: int, first_px: float, stride_px: float, picture_px: int) -> np.ndarray:
    """What each of some cells weighs in each line of pixels, (picture_px, cells); a cell's mean over lines is 1."""
    places = (np.arange(picture_px) - first_px) / stride_px
    clamped = np.clip(places, 0, cells - 1)
    weights = np.maximum(0, 1 - np.abs(clamped[:, None] - np.arange(cells)))  # linear between neighbours
    sums = weights.sum(0)
    if not sums.all():
        raise ValueError(
            f"{cells} cells every {stride_px:g} px from {first_px:g} px do not fit a picture of {picture_px} px"
        )
    return np.asarray(weights * (picture_px / cells / sums))
