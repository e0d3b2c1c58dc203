"""Phantoms as the store of hands has them, so that what is measured on them is measured on such pictures."""

from dataclasses import replace

import cv2
import numpy as np

from boneage_kedro.imaging.geometry import Box, centre_on_canvas, fitted_size
from boneage_kedro.phantom import Phantom


def cut_phantom(phantom: Phantom, margin: float, input_px: int) -> Phantom:
    """A phantom as the store of hands has it: cut to the hand, black outside, square, bone bright.

    Args:
        phantom: a whole radiograph with its truth.
        margin: around the hand, as a share of its longer side.
        input_px: side of the square.
    """
    picture = 255 - phantom.image if phantom.nuisance.inverted else phantom.image
    left, top, width, height = cv2.boundingRect(phantom.hand_mask.astype(np.uint8))
    pad, (rows, columns) = round(margin * max(width, height)), picture.shape
    box = Box(
        max(0, left - pad),
        max(0, top - pad),
        min(columns, left + width + pad),
        min(rows, top + height + pad),
    )
    size = fitted_size(box, input_px)
    scale = np.array(size) / (box.width, box.height)
    offset = ((input_px - size[0]) // 2, (input_px - size[1]) // 2)

    def fit(pixels: np.ndarray, interpolation: int) -> np.ndarray:
        return centre_on_canvas(cv2.resize(box.view(pixels), size, interpolation=interpolation), input_px)

    inside = fit(phantom.hand_mask.astype(np.uint8), cv2.INTER_NEAREST) > 0
    return replace(
        phantom,
        image=fit(picture, cv2.INTER_AREA) * inside,
        hand_mask=inside,
        bones=fit(phantom.bones, cv2.INTER_NEAREST),
        joints=((phantom.joints - (box.left, box.top) + 0.5) * scale - 0.5 + offset).astype(np.float32),
    )
