"""Laying a coarse attention map onto the picture it explains.

Maps here have cells that share their picture evenly. Those of a network do not: what its cells are centred on depends
on the padding of every strided layer. In a ResNet the first cell looks at the very corner, in an EfficientNet with
the padding of TensorFlow the last one does, and stretched maps would be off by up to half a cell. `weigh_cells`
brings the one to the other.
"""

from collections.abc import Iterable, Iterator, Mapping

import cv2
import numpy as np

from boneage_kedro.imaging.geometry import Box, map_points, to_source


class PlacedMaps(Mapping[str, np.ndarray]):
    """Maps by id, laid onto their pictures one by one when they are asked for: all at once may not fit into memory.

    Args:
        ids: of the maps, in their order.
        maps, picture_px: as in `place_maps`.
    """

    def __init__(self, ids: Iterable[str], maps: np.ndarray, picture_px: int) -> None:
        self._maps = dict(zip(ids, maps, strict=True))
        self._picture_px = picture_px

    def __getitem__(self, key: str) -> np.ndarray:
        """(picture_px, picture_px) months."""
        return np.asarray(place_maps(self._maps[key][None], self._picture_px)[0])

    def __iter__(self) -> Iterator[str]:
        return iter(self._maps)

    def __len__(self) -> int:
        return len(self._maps)


def place_maps(maps: np.ndarray, picture_px: int) -> np.ndarray:
    """Enlarge maps to the size of their pictures, each cell about its middle and smoothly in between.

    Args:
        maps: (n, h, w) months, whose cells share the picture evenly; the mean of a map is its part of the age.
        picture_px: side of the square picture that the network saw.

    Returns:
        (n, picture_px, picture_px) months; each cell brings as much as before, so the means stay.
    """
    pixels = np.arange(picture_px)
    rows, columns = (weigh_cells(even_middles(count, picture_px), pixels) for count in maps.shape[1:])
    return np.einsum("yr,nrc,xc->nyx", rows, maps, columns, optimize=True)


def even_middles(cells: int, picture_px: int) -> np.ndarray:
    """(cells,) the middles of cells that share a picture evenly, in pixels from the centre of the first pixel."""
    return (np.arange(cells) + 0.5) * picture_px / cells - 0.5


def weigh_cells(middles_px: np.ndarray, places_px: np.ndarray) -> np.ndarray:
    """What each cell of a row weighs at each place, linear between neighbours and constant beyond the last.

    Args:
        middles_px: (c,) where the cells look, rising and evenly apart.
        places_px: (m,) in the same pixels.

    Returns:
        (m, c); the mean of each column is 1 / c, so that a cell brings as much as before to the mean of a map.

    Raises:
        ValueError: a cell has no place near it.
    """
    cells = len(middles_px)
    indices = np.interp(places_px, middles_px, np.arange(cells))
    weights = np.maximum(0, 1 - np.abs(indices[:, None] - np.arange(cells)))
    means = weights.mean(0)
    if not means.all():
        raise ValueError(
            f"{cells} cells about {middles_px[0]:g} to {middles_px[-1]:g} px do not fit places from "
            f"{places_px[0]:g} to {places_px[-1]:g} px"
        )
    return np.asarray(weights / means / cells)


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
