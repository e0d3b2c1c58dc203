"""One picture changed in one way: what scanners, exports, archives and people do to radiographs.

Every function takes (H, W) float32 gray values, 0 darkest to 1 brightest, and gives the same, of whatever size;
values may leave 0 to 1 (`GrayScale.pixels` clips them). Nothing is known of what the picture shows: "left" is that of
the picture, and bright need not be bone.
"""

from collections.abc import Collection
from typing import Literal, NamedTuple, Self

import cv2
import numpy as np

from boneage_kedro.imaging.formats.jpeg import decode_jpeg

Side = Literal["top", "bottom", "left", "right"]
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_HEIGHT_PX = 21.5  # of its capitals at scale 1
_STROKE = 0.14  # width of a letter's strokes, part of its height
_LEAST_LETTER_PX = 4.0
_LETTER_INSET = 0.02  # between a letter and the edges of the picture, part of the long side
_TEXT_HEIGHT = 0.025  # of a line of burnt-in text, part of the long side


class GrayScale(NamedTuple):
    """The gray values of a file that count as darkest and brightest, and their type."""

    low: float
    high: float
    dtype: np.dtype

    @classmethod
    def of(cls, pixels: np.ndarray) -> Self:
        """That of (H, W) uint8, uint16 or float32: 0 to 255 in 8 bits.

        Elsewhere it ends at the brightest pixel, since files rarely use all of 16 bits, and in float32 it begins at
        the darkest.
        """
        low = 0.0 if pixels.dtype.kind == "u" else float(pixels.min())
        high = 255.0 if pixels.dtype == np.uint8 else float(pixels.max())
        return cls(low, high if high > low else low + 1, pixels.dtype)

    def levels(self, pixels: np.ndarray) -> np.ndarray:
        """Gray values as float32 from 0 to 1."""
        return ((pixels.astype(np.float32) - self.low) / (self.high - self.low)).astype(np.float32)

    def pixels(self, levels: np.ndarray) -> np.ndarray:
        """The inverse of `levels`, clipped and in whole steps where the file has them."""
        values = self.low + np.clip(levels, 0, 1) * (self.high - self.low)
        return (np.rint(values) if self.dtype.kind == "u" else values).astype(self.dtype)


EIGHT_BITS = GrayScale(0.0, 255.0, np.dtype(np.uint8))


def rotate(levels: np.ndarray, degrees: float) -> np.ndarray:
    """Turn counter-clockwise; the picture grows so that nothing is lost, and what comes in is darkest."""
    if degrees % 90 == 0:
        return np.rot90(levels, int(degrees // 90))
    height, width = levels.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1)
    cos, sin = np.abs(matrix[0, :2])
    size = round(width * cos + height * sin), round(width * sin + height * cos)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    return cv2.warpAffine(levels, matrix, size)


def flip(levels: np.ndarray, direction: Literal["horizontal", "vertical"]) -> np.ndarray:
    """Swap left and right (``horizontal``) or top and bottom."""
    return levels[:, ::-1] if direction == "horizontal" else levels[::-1]


def invert(levels: np.ndarray) -> np.ndarray:
    """The negative."""
    return 1 - levels


def brighten(levels: np.ndarray, shift: float) -> np.ndarray:
    """Add a part of the gray range."""
    return levels + np.float32(shift)


def stretch(levels: np.ndarray, factor: float) -> np.ndarray:
    """Multiply the contrast, around the mean of the picture."""
    mean = levels.mean()
    return mean + np.float32(factor) * (levels - mean)


def gamma(levels: np.ndarray, exponent: float) -> np.ndarray:
    """Raise to a power: above 1 is darker."""
    return levels ** np.float32(exponent)


def equalise(levels: np.ndarray, clip_limit: float) -> np.ndarray:
    """Contrast-limited adaptive histogram equalisation on 8 x 8 tiles, in 8 bits; how steep curves may be."""
    return EIGHT_BITS.levels(cv2.createCLAHE(clip_limit, (8, 8)).apply(EIGHT_BITS.pixels(levels)))


def shrink(levels: np.ndarray, factor: float) -> np.ndarray:
    """Fewer pixels: a part of each side, at least one."""
    height, width = (max(1, round(side * factor)) for side in levels.shape)
    return cv2.resize(np.ascontiguousarray(levels), (width, height), interpolation=cv2.INTER_AREA)


def squash(levels: np.ndarray, factor: float) -> np.ndarray:
    """Another width at the same height, as in pictures that were made to fit a square; at least one column."""
    height, width = levels.shape
    size = max(1, round(width * factor)), height
    return cv2.resize(np.ascontiguousarray(levels), size, interpolation=cv2.INTER_AREA)


def blur(levels: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur; the standard deviation is a part of the long side."""
    sigma_px = sigma * max(levels.shape)
    return cv2.GaussianBlur(levels, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE)


def add_noise(levels: np.ndarray, sd: float, rng: np.random.Generator) -> np.ndarray:
    """Add white Gaussian noise of a standard deviation."""
    return levels + np.float32(sd) * rng.standard_normal(levels.shape, np.float32)


def compress(levels: np.ndarray, quality: int) -> np.ndarray:
    """What is left after JPEG in 8 bits; quality 1 to 100."""
    _, encoded = cv2.imencode(".jpg", EIGHT_BITS.pixels(levels), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return EIGHT_BITS.levels(decode_jpeg(encoded.tobytes()))


def cut(levels: np.ndarray, share: float, sides: Collection[Side]) -> np.ndarray:
    """Cut a part of the height or width off each of the sides; at least one row and column stay."""
    height, width = levels.shape
    rows, columns = (min(round(share * side), (side - 1) // 2) for side in levels.shape)
    return levels[
        rows * ("top" in sides) : height - rows * ("bottom" in sides),
        columns * ("left" in sides) : width - columns * ("right" in sides),
    ]


def frame(levels: np.ndarray, share: float, level: float) -> np.ndarray:
    """Put a frame of one gray value around the picture, as wide as a part of its long side."""
    width = round(share * max(levels.shape))
    return np.pad(levels, width, constant_values=level)


def lay_letter(levels: np.ndarray, height: float, rng: np.random.Generator, letter: str) -> np.ndarray:
    """Lay a bright letter into a corner, as a radiographer lays a lead one; its height is a part of the long side."""
    longest = max(levels.shape)
    stamp = _draw_text(letter, height * longest)
    inset = round(_LETTER_INSET * longest)
    rows, columns = (max(0, side - inset - own) for side, own in zip(levels.shape, stamp.shape, strict=True))
    bottom, right = rng.random(2) < 0.5
    return _stamp(levels, stamp, rows if bottom else inset, columns if right else inset)


def burn_text(levels: np.ndarray, lines: int, rng: np.random.Generator) -> np.ndarray:
    """Write lines of bright text over the top left, as archives burn names and dates into exported pictures."""
    height = _TEXT_HEIGHT * max(levels.shape)
    written = levels
    for line in range(lines):
        text = "".join(rng.choice(list("ABCDEHKLMNRSTX0123456789"), 18))
        top, left = round((0.5 + 1.7 * line) * height), round(0.5 * height)
        written = _stamp(written, _draw_text(text, height), top, left)
    return written


def _draw_text(text: str, height_px: float) -> np.ndarray:
    """Capitals of a height, or the least that can be drawn, as (h, w) float32, 0 to 1, cut close."""
    height_px = max(height_px, _LEAST_LETTER_PX)
    scale, stroke = height_px / _FONT_HEIGHT_PX, max(1, round(_STROKE * height_px))
    (width, height), baseline = cv2.getTextSize(text, _FONT, scale, stroke)
    canvas = np.zeros((height + baseline + 2 * stroke, width + 2 * stroke), np.uint8)
    cv2.putText(canvas, text, (stroke, height + stroke), _FONT, scale, 255, stroke, cv2.LINE_AA)
    rows, columns = np.nonzero(canvas.max(1))[0], np.nonzero(canvas.max(0))[0]
    return canvas[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32) / 255


def _stamp(levels: np.ndarray, stamp: np.ndarray, top: int, left: int) -> np.ndarray:
    """Lay a bright picture over a place, cut where it does not fit."""
    stamped = levels.copy()
    under = stamped[top : top + stamp.shape[0], left : left + stamp.shape[1]]
    np.maximum(under, stamp[: under.shape[0], : under.shape[1]], out=under)
    return stamped
