"""Tone: brightness, contrast and sharpness of a hand that was cut out, as a person sets them.

With v the gray level of a pixel in 0 to 255, m the mean of v within the hand and s the hand smoothed (`smooth`), the
result is, in this order,

1. sharpness:  v + sharpness / 50 * (v - s)
2. contrast:   the distance from m times 4 ** (contrast / 100)
3. brightness: plus 255 * brightness / 100
4. rounded, and clipped to 1 to 255.

The hand is all that is not exactly 0; the rest stays 0, and nothing of the hand becomes 0. Until the clipping,
contrast therefore leaves the mean as it is, and brightness the standard deviation. Without sharpness, what was
brighter never becomes darker than what was not.
"""

from typing import Annotated, NamedTuple

import cv2
import numpy as np
from typing_extensions import TypedDict

from boneage_kedro.limits import Within

WHITE = 255
SMOOTHED_SHARE = 1 / 256  # sigma of the smoothing as a part of the long side: one pixel of a hand cut to 256


class ToneSettings(TypedDict):
    """What a person sets; all 0 is the picture as it is.

    ``brightness`` is in percent of the gray range; 100 of ``contrast`` is a factor of four; 50 of ``sharpness`` adds
    the fine detail once more.
    """

    brightness: Annotated[float, Within(-100, 100)]
    contrast: Annotated[float, Within(-100, 100)]
    sharpness: Annotated[float, Within(0, 100)]


UNCHANGED = ToneSettings(brightness=0, contrast=0, sharpness=0)


class HandLevel(NamedTuple):
    """Mean and standard deviation of the gray levels within a hand, 0 to 255."""

    mean: float
    contrast: float


def apply_tone(image: np.ndarray, settings: ToneSettings) -> np.ndarray:
    """Change the tone of a hand by the formula of this module.

    Args:
        image: (H, W) uint8, bone bright, exactly 0 outside the hand.
        settings: what a person has set.

    Returns:
        (H, W) uint8, 0 where the image is 0 and 1 to 255 elsewhere.
    """
    hand = image > 0
    if not hand.any():
        return image.copy()
    gray = image.astype(np.float32)
    mean = float(image[hand].mean())
    sharp = gray + settings["sharpness"] / 50 * (gray - smooth(image))
    toned = mean + 4 ** (settings["contrast"] / 100) * (sharp - mean) + WHITE * settings["brightness"] / 100
    return np.where(hand, np.rint(toned).clip(1, WHITE), 0).astype(np.uint8)


def smooth(image: np.ndarray) -> np.ndarray:
    """The mean around each pixel of a hand, weighted by a Gaussian; the background has no part in it.

    Nor has what lies beyond the picture, so sharpening draws no bright line along the outline of a hand.

    Args:
        image: (H, W) uint8, exactly 0 outside the hand.

    Returns:
        (H, W) float32, 0 outside the hand.
    """
    hand = (image > 0).astype(np.float32)
    sigma = max(image.shape) * SMOOTHED_SHARE
    total, weight = (
        cv2.GaussianBlur(part, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
        for part in (image.astype(np.float32), hand)
    )
    return np.divide(total, weight, out=np.zeros_like(total), where=hand > 0)


def measure_hand(image: np.ndarray) -> HandLevel:
    """Mean and contrast within a hand.

    Args:
        image: (H, W) uint8, exactly 0 outside the hand; not 0 everywhere.
    """
    levels = image[image > 0]
    return HandLevel(float(levels.mean()), float(levels.std()))


def to_8_bits(pixels: np.ndarray) -> np.ndarray:
    """Bring a hand of 16 bits to 8, its brightest pixel to white; one of 8 bits is left as it is.

    Scanners put 10 or 12 bits into 16, so the end of the range says nothing. Nothing of the hand becomes 0.

    Args:
        pixels: (H, W) uint8 or uint16, exactly 0 outside the hand.

    Returns:
        (H, W) uint8.
    """
    if pixels.dtype == np.uint8:
        return pixels
    scaled = np.rint(pixels * (WHITE / max(1, int(pixels.max()))))
    return np.where(pixels > 0, scaled.clip(1, WHITE), 0).astype(np.uint8)
