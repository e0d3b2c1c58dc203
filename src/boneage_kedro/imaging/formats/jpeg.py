"""JPEG streams: header and end are checked, since decoders pad a truncated stream with gray."""

import struct
from typing import NamedTuple

import cv2
import numpy as np

from boneage_kedro.imaging.formats.decoding import REPAIR, check_size, decode
from boneage_kedro.imaging.radiograph import UnreadableRadiograph

MAGIC = b"\xff\xd8\xff"

_START_OF_SCAN = 0xDA
_START_OF_SCAN_MARKER = b"\xff\xda"
_MAX_SCANS = 100  # each goes over all pixels again; encoders write about ten
_END_OF_IMAGE = b"\xff\xd9"
_TABLES = frozenset({0xC4, 0xCC, 0xDB, 0xDD, 0xF8})
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}  # the last is that of JPEG-LS
_APPLICATION_OR_COMMENT = frozenset(range(0xE0, 0xF0)) | {0xFE}
_BEFORE_THE_PIXELS = _START_OF_FRAME | _TABLES | _APPLICATION_OR_COMMENT | {_START_OF_SCAN}
_FILL = 0xFF

_SEGMENT = struct.Struct(">BBH")  # 0xFF, marker, length from the length field on
_FRAME = struct.Struct(">BHH")


class Frame(NamedTuple):
    """What the frame header of a JPEG stream states."""

    precision: int
    rows: int
    columns: int


def decode_jpeg(data: bytes) -> np.ndarray:
    """Decode to (rows, columns) uint8, colour reduced to its luminance.

    The EXIF orientation is not applied: viewers disagree about it, and the preparation finds the pose of the
    hand from its content. A stream damaged between header and end is decoded as far as it makes sense, and
    libjpeg says so on stderr.

    Raises:
        UnreadableRadiograph: truncated, damaged in the header, too large, or not 8-bit.
    """
    frame = read_frame(data)
    if frame.precision != 8:
        raise UnreadableRadiograph(
            f"is a {frame.precision}-bit JPEG, and only 8-bit ones are read; export it as 16-bit PNG"
        )
    check_size(frame.rows, frame.columns)
    return decode(data, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION)


def read_frame(data: bytes) -> Frame:
    """Read the frame header of a JPEG or JPEG-LS stream, and see that the stream has an end.

    Raises:
        UnreadableRadiograph: the header is damaged, or the stream is cut short.
    """
    try:
        frame, scan_start = _walk_header(data)
    except struct.error:
        frame, scan_start = None, len(data)
    if data.count(_START_OF_SCAN_MARKER, scan_start) >= _MAX_SCANS:
        raise UnreadableRadiograph(
            f"the JPEG stream has more than {_MAX_SCANS} scans, which would take too long; {REPAIR}"
        )
    # The search starts behind the header, whose EXIF thumbnail is a whole JPEG file with an end of its own.
    if frame is None or data.rfind(_END_OF_IMAGE, scan_start) < 0:
        raise UnreadableRadiograph(f"the JPEG stream is damaged or cut short; {REPAIR}")
    return frame


def _walk_header(data: bytes) -> tuple[Frame | None, int]:
    """Return the frame header, None where a segment is none that belongs here, and where the first scan starts."""
    at, frame, marker = len(MAGIC) - 1, None, _FILL
    while marker != _START_OF_SCAN:
        prefix, marker, length = _SEGMENT.unpack_from(data, at)
        if prefix == marker == _FILL:
            at += 1
            continue
        if prefix != 0xFF or marker not in _BEFORE_THE_PIXELS:
            return None, at
        if marker in _START_OF_FRAME:
            frame = Frame(*_FRAME.unpack_from(data, at + _SEGMENT.size))
        at += 2 + length
    return frame, at
