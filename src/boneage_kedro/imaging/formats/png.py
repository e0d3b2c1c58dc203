"""PNG files: checksums are verified and only the chunks that hold the picture reach the decoder."""

import struct
import zlib
from collections.abc import Iterator

import cv2
import numpy as np

from boneage_kedro.imaging.formats.decoding import REPAIR, check_size, decode, to_gray
from boneage_kedro.imaging.radiograph import UnreadableRadiograph

MAGIC = b"\x89PNG\r\n\x1a\n"

_COLOUR_TYPE_AT, _GRAY = 25, 0
_PICTURE_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_CHUNK = struct.Struct(">I4s")  # length of the content, type
_CHECKSUM = struct.Struct(">I")


def is_gray(data: bytes) -> bool:
    """Whether a file that could be decoded holds gray levels alone: no colours, no palette, no alpha."""
    return data[_COLOUR_TYPE_AT] == _GRAY


def decode_png(data: bytes) -> np.ndarray:
    """Decode to (rows, columns) uint8 or uint16, any bit depth, palette, colour or transparency.

    Colour profile, gamma, EXIF orientation and animation are left out: the numbers count as they are stored.

    Raises:
        UnreadableRadiograph: truncated, damaged or too large.
    """
    picture: list[bytes | memoryview] = [MAGIC]
    left_out = False
    for kind, chunk in _chunks(data):
        if kind in _PICTURE_CHUNKS:
            picture.append(chunk)
        else:
            left_out = True
    return to_gray(decode(b"".join(picture) if left_out else data, cv2.IMREAD_UNCHANGED))


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Walk over the type and bytes of every chunk, to the end of the picture."""
    view, at, kind = memoryview(data), len(MAGIC), b""
    while kind != b"IEND":
        start = at
        if start + _CHUNK.size > len(data):
            raise UnreadableRadiograph(f"the PNG file is cut short; {REPAIR}")
        length, kind = _CHUNK.unpack_from(data, start)
        at = start + _CHUNK.size + length + _CHECKSUM.size
        if at > len(data):
            raise UnreadableRadiograph(f"the PNG file is cut short; {REPAIR}")
        # libpng would find the same, but would tell stderr and not say which file
        if zlib.crc32(view[start + 4 : at - 4]) != _CHECKSUM.unpack_from(data, at - 4)[0]:
            raise UnreadableRadiograph(f"the PNG file is damaged (checksum of {kind!r}); {REPAIR}")
        if start == len(MAGIC):
            _check_header(kind, view[start + _CHUNK.size : at - 4])
        yield kind, view[start:at]


def _check_header(kind: bytes, content: memoryview) -> None:
    if kind != b"IHDR" or len(content) != 13:
        raise UnreadableRadiograph(f"the PNG file does not start with a header; {REPAIR}")
    columns, rows = struct.unpack_from(">II", content)
    check_size(rows, columns)
