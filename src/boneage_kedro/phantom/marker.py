"""Lead letters beside the hand: the side and the radiographer's initials, often on a plastic plate."""

import string

import cv2
import numpy as np

from boneage_kedro.phantom.nuisance import Nuisance

LEAD = 5.0  # attenuation of the letters, natural logarithm
PLATE = (0.1, 0.5)  # and of the plate that holds them, between
TRIES = 60


def lay_marker(inside_px: np.ndarray, nuisance: Nuisance, rng: np.random.Generator) -> np.ndarray:
    """Lay letters beside the hand, not far from the skin and not on it where there is room.

    Args:
        inside_px: (H, W) distance to the skin in pixels, negative outside.
        nuisance: size and turn of the letters.
        rng: of the place, the initials and the plate.

    Returns:
        (H, W) float32, attenuation (natural logarithm); zero throughout where the picture is too small.
    """
    attenuation = np.zeros_like(inside_px)
    stamp = _turned(
        _letters(max(6, round(nuisance.marker_size * max(attenuation.shape))), rng), nuisance.marker_deg
    )
    height, width = stamp.shape
    rows, columns = attenuation.shape[0] - height, attenuation.shape[1] - width
    if rows < 1 or columns < 1:
        return attenuation
    tops, lefts = rng.integers(0, rows, TRIES), rng.integers(0, columns, TRIES)
    clearance = -inside_px[tops + height // 2, lefts + width // 2]
    # beside the hand rather than in the farthest corner
    best = int(np.argmin(np.abs(clearance - 0.75 * np.hypot(height, width))))
    attenuation[tops[best] : tops[best] + height, lefts[best] : lefts[best] + width] = stamp
    return attenuation


def _letters(size: int, rng: np.random.Generator) -> np.ndarray:
    """Attenuation of an upright marker whose "L" is `size` pixels high."""
    initials = "".join(rng.choice(list(string.ascii_uppercase), int(rng.integers(0, 4))))
    lines = [("L", size), (initials, round(0.7 * size))] if initials else [("L", size)]
    pictures = [_text(line, height) for line, height in lines]
    pad = max(2, size // 4)
    width = max(picture.shape[1] for picture in pictures) + 2 * pad
    plate = np.zeros((sum(p.shape[0] + pad for p in pictures) + pad, width), np.float32)
    top = pad
    for picture in pictures:
        left = (width - picture.shape[1]) // 2
        plate[top : top + picture.shape[0], left : left + picture.shape[1]] = LEAD * picture
        top += picture.shape[0] + pad
    if rng.random() < 0.6:
        plate = np.maximum(plate, np.float32(rng.uniform(*PLATE)))
    return plate


def _text(line: str, height: int) -> np.ndarray:
    """One line of letters, `height` pixels high, 0 to 1."""
    thickness = 9
    (width, tall), _ = cv2.getTextSize(line, cv2.FONT_HERSHEY_SIMPLEX, 2.0, thickness)
    canvas = np.zeros((tall + 40, width + 40), np.uint8)
    cv2.putText(canvas, line, (20, tall + 20), cv2.FONT_HERSHEY_SIMPLEX, 2.0, 255, thickness, cv2.LINE_AA)
    rows, columns = np.nonzero(canvas.max(1))[0], np.nonzero(canvas.max(0))[0]
    ink = canvas[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    size = (max(1, round(ink.shape[1] * height / ink.shape[0])), height)
    return cv2.resize(ink, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def _turned(picture: np.ndarray, degrees: float) -> np.ndarray:
    """A picture turned about its centre, on a canvas that holds all of it."""
    height, width = picture.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    sin, cos = abs(matrix[0, 1]), abs(matrix[0, 0])
    size = (int(np.ceil(width * cos + height * sin)), int(np.ceil(width * sin + height * cos)))
    matrix[0, 2] += (size[0] - width) / 2
    matrix[1, 2] += (size[1] - height) / 2
    return cv2.warpAffine(picture, matrix, size)
