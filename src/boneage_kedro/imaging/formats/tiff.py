"""TIFF files: the directory is read for the size, the number of pages and the sense of black and white."""

import struct
from collections.abc import Iterator
from itertools import islice

import cv2
import numpy as np

from boneage_kedro.imaging.formats.decoding import REPAIR, check_size, decode, to_gray
from boneage_kedro.imaging.radiograph import UnreadableRadiograph

MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # either byte order, classic and with 64-bit offsets

_SUBFILE, _COLUMNS, _ROWS, _BITS, _PHOTOMETRIC = 254, 256, 257, 258, 262
_THUMBNAIL_OR_MASK = 0b101
_WHITE_IS_ZERO = 0
_INTEGER_TYPES = {3: "H", 4: "I", 16: "Q"}
_MAX_PAGES = 100  # a damaged file may chain its directories in a ring


def decode_tiff(data: bytes) -> np.ndarray:
    """Decode to (rows, columns) uint8, uint16 or float32; 12-bit, signed, 32-bit and float files included.

    A file that says white is zero is inverted, so that high is what its author saw as white.

    Raises:
        UnreadableRadiograph: truncated, damaged, too large, or of several pages.
    """
    try:
        directories = list(islice(_directories(data), _MAX_PAGES))
    except (struct.error, OverflowError) as error:
        raise UnreadableRadiograph(f"the TIFF file is damaged or cut short; {REPAIR}") from error
    pages = [page for page in directories if not page.get(_SUBFILE, 0) & _THUMBNAIL_OR_MASK]
    if len(pages) != 1:
        raise UnreadableRadiograph(
            f"the TIFF file holds {len(pages)} pages; save the radiograph as a file of its own"
        )
    check_size(pages[0].get(_ROWS, 0), pages[0].get(_COLUMNS, 0))
    pixels = to_gray(decode(data, cv2.IMREAD_UNCHANGED))
    if pages[0].get(_BITS, 8) <= 8:
        return pixels
    if pixels.dtype == np.uint8:  # as OpenCV does to gray with transparency
        raise UnreadableRadiograph("its 16 bits could be decoded only to 8; export it as 16-bit gray PNG")
    # OpenCV minds the sense of black and white only up to 8 bits.
    return pixels.max() - pixels + pixels.min() if pages[0].get(_PHOTOMETRIC) == _WHITE_IS_ZERO else pixels


def _directories(data: bytes) -> Iterator[dict[int, int]]:
    """Yield each page's integer fields, {tag: first value}, but for lists that lie elsewhere in the file.

    Raises:
        struct.error, OverflowError: a directory lies beyond the end of the file.
    """
    order = "<" if data[:2] == b"II" else ">"
    big = b"+" in data[:4]
    offset, count, entry = ("Q", "Q", "HHQ8s") if big else ("I", "H", "HHI4s")
    (at,) = struct.unpack_from(order + offset, data, 8 if big else 4)
    while at:
        (entries,) = struct.unpack_from(order + count, data, at)
        at += struct.calcsize(count)
        fields = {}
        for _ in range(entries):
            tag, kind, length, value = struct.unpack_from(order + entry, data, at)
            at += struct.calcsize(order + entry)
            form = order + _INTEGER_TYPES.get(kind, "")
            if kind in _INTEGER_TYPES and length * struct.calcsize(form) <= len(value):
                (fields[tag],) = struct.unpack_from(form, value)
        yield fields
        (at,) = struct.unpack_from(order + offset, data, at)
