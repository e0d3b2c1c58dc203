"""Masks that were drawn on a picture of another size, brought to the picture at hand."""

import numpy as np

from boneage_kedro.imaging.geometry import resize
from boneage_kedro.masks.label_maps import UnusableMask, largest_share

# The longest picture of the RSNA set is 2.2 : 1, and stretched by as much when it is squashed to a square.
_MOST_STRETCH = 2.5
_ALMOST_SQUARE = 1.02  # whether such a picture stands or lies, rounding to whole pixels may change


def fit_mask(mask: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Scale a whole mask to a whole picture; rows and columns may be scaled by different factors.

    Args:
        mask: (H, W) uint8 codes of classes.
        shape: (rows, columns) of the picture.

    Returns:
        ``shape`` uint8: the class with the largest part of each pixel; of one class, more than half of it.

    Raises:
        UnusableMask: one stands and the other lies, or the sides' proportions are too far apart for two sizes of one
            picture; or nothing is left of the mask. A mask that is turned by half or belongs to another child of the
            same proportions cannot be told.
    """
    if mask.shape == shape:
        return mask
    _check_proportions(mask.shape, shape)
    codes = [code for code in np.unique(mask).tolist() if code]
    shares = [resize((mask == code).astype(np.float32), (shape[1], shape[0])) for code in codes]
    fitted = largest_share(codes, shares, shape)
    if codes and not fitted.any():
        raise UnusableMask(f"is too thin: nothing of it is left at {shape[1]} x {shape[0]} pixels")
    return fitted


def _check_proportions(mask: tuple[int, ...], picture: tuple[int, int]) -> None:
    sizes = f"is {mask[1]} x {mask[0]} pixels, but its radiograph is {picture[1]} x {picture[0]}"
    if _standing(mask) * _standing(picture) < 0:
        raise UnusableMask(f"{sizes}: one of them lies on its side; turn the mask as the radiograph is")
    stretch = (mask[0] * picture[1]) / (mask[1] * picture[0])
    if not 1 / _MOST_STRETCH <= stretch <= _MOST_STRETCH:
        raise UnusableMask(f"{sizes}: these are not two sizes of one picture; see that the id is right")


def _standing(shape: tuple[int, ...]) -> int:
    """1 for a picture that stands, -1 for one that lies, 0 for a square."""
    rows, columns = shape
    return int(rows > _ALMOST_SQUARE * columns) - int(columns > _ALMOST_SQUARE * rows)
