"""JPEG files: the size and the end are checked, since a decoder may pad a truncated file with gray."""

import cv2
import numpy as np

from boneage_kedro.imaging.formats.decoding import REPAIR, check_size, decode
from boneage_kedro.imaging.radiograph import UnreadableRadiograph

MAGIC = b"\xff\xd8\xff"

_START_OF_SCAN = 0xDA
_END_OF_IMAGE = b"\xff\xd9"
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # these three mark tables


def decode_jpeg(data: bytes) -> np.ndarray:
    """Decode to (rows, columns) uint8, colour reduced to its luminance.

    The EXIF orientation is not applied: viewers disagree about it, and the preparation finds the pose of the
    hand from its content.

    Raises:
        UnreadableRadiograph: truncated, damaged, too large, or not 8-bit.
    """
    pixels_start = _check_header(data)
    # The search starts behind the header, whose EXIF thumbnail is a whole JPEG file with an end of its own.
    if data.rfind(_END_OF_IMAGE, pixels_start) < 0:
        raise UnreadableRadiograph(f"the JPEG file is cut short; {REPAIR}")
    return decode(data, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION)


def _check_header(data: bytes) -> int:
    """Check precision and size in the frame header; return where the first scan starts."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == _START_OF_SCAN:
            return at + 2 + length
        if marker in _START_OF_FRAME:
            _check_frame(data[at + 4 : at + 9])
        at += 2 + length
    raise UnreadableRadiograph(f"the JPEG header is damaged or cut short; {REPAIR}")


def _check_frame(frame: bytes) -> None:
    """Check a frame header from its precision on: 1 byte precision, 2 bytes rows, 2 bytes columns."""
    if len(frame) < 5:
        raise UnreadableRadiograph(f"the JPEG header is cut short; {REPAIR}")
    if frame[0] != 8:
        raise UnreadableRadiograph(
            f"is a {frame[0]}-bit JPEG, and only 8-bit ones are read; export it as PNG"
        )
    check_size(rows=int.from_bytes(frame[1:3], "big"), columns=int.from_bytes(frame[3:5], "big"))
