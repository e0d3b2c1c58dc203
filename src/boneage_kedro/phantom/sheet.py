"""Contact sheets: many phantoms in one picture, to be looked at."""

from collections.abc import Sequence

import cv2
import numpy as np

from boneage_kedro.phantom.hand import Phantom


def contact_sheet(phantoms: Sequence[Phantom], columns: int, tile_px: int = 256) -> np.ndarray:
    """Lay phantoms out row by row, each within a square tile with its age in years and its sex.

    Returns:
        (rows * tile_px, columns * tile_px) uint8.

    Raises:
        ValueError: no phantom, or no column.
    """
    if not phantoms or columns < 1:
        raise ValueError(
            f"a sheet needs at least one phantom and one column, not {len(phantoms)} and {columns}"
        )
    rows = -(-len(phantoms) // columns)
    sheet = np.full((rows * tile_px, columns * tile_px), 40, np.uint8)
    for i, hand in enumerate(phantoms):
        top, left = i // columns * tile_px, i % columns * tile_px
        sheet[top : top + tile_px, left : left + tile_px] = _tile(hand, tile_px)
    return sheet


def _tile(hand: Phantom, tile_px: int) -> np.ndarray:
    height, width = hand.image.shape
    scale = tile_px / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    tile = np.full((tile_px, tile_px), 40, np.uint8)
    left = (tile_px - size[0]) // 2
    tile[: size[1], left : left + size[0]] = cv2.resize(hand.image, size, interpolation=cv2.INTER_AREA)
    text = f"{hand.age_months / 12:.1f} y {hand.sex.value}"
    cv2.putText(tile, text, (4, tile_px - 6), cv2.FONT_HERSHEY_SIMPLEX, tile_px / 640, 255, 1, cv2.LINE_AA)
    return tile
