"""Contact sheets: many phantoms in one picture, to be looked at."""

from collections.abc import Sequence

import cv2
import numpy as np

from boneage_kedro.phantom.hand import Phantom

BACKGROUND = 40


def contact_sheet(phantoms: Sequence[Phantom], columns: int, tile_px: int = 256) -> np.ndarray:
    """Lay phantoms out row by row, each with its age in years and its sex.

    Tiles are `tile_px` high and as wide as the widest picture needs at that height.

    Returns:
        (rows * tile_px, columns * tile width) uint8.

    Raises:
        ValueError: no phantom, or no column.
    """
    if not phantoms or columns < 1:
        raise ValueError(
            f"a sheet needs at least one phantom and one column, not {len(phantoms)} and {columns}"
        )
    tiles = [_tile(hand, tile_px) for hand in phantoms]
    tile_width = max(tile.shape[1] for tile in tiles)
    sheet = np.full((-(-len(tiles) // columns) * tile_px, columns * tile_width), BACKGROUND, np.uint8)
    for i, tile in enumerate(tiles):
        top, left = i // columns * tile_px, i % columns * tile_width
        sheet[top : top + tile_px, left : left + tile.shape[1]] = tile
    return sheet


def _tile(hand: Phantom, tile_px: int) -> np.ndarray:
    height, width = hand.image.shape
    size = (max(1, round(width * tile_px / height)), tile_px)
    tile = cv2.resize(hand.image, size, interpolation=cv2.INTER_AREA)
    text = f"{hand.age_months / 12:.3g} y {hand.sex.value}"
    cv2.putText(tile, text, (6, tile_px - 8), cv2.FONT_HERSHEY_SIMPLEX, tile_px / 640, 255, 1, cv2.LINE_AA)
    return tile
