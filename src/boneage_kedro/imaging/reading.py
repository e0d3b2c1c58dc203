"""Reading one radiograph from a file of any of the usual formats."""

import os
from pathlib import Path

import numpy as np

from boneage_kedro.imaging.formats import jpeg, png, tiff
from boneage_kedro.imaging.formats.dicom import looks_like_dicom, read_dicom
from boneage_kedro.imaging.radiograph import Radiograph, UnreadableRadiograph

MAX_FILE_BYTES = 2**30  # the largest films, uncompressed, take a fifth of it


def read_radiograph(source: Path | bytes, name: str = "") -> Radiograph:
    """Read a PNG, JPEG, TIFF or DICOM file; the content decides which it is, not the suffix.

    Args:
        source: the file, or its bytes.
        name: what error messages call the picture; the path when empty.

    Returns:
        The pixels as stored, (rows, columns), 16-bit values in their full range, with what a DICOM header
        tells. Bytes in other formats tell nothing about polarity, side, age or sex.

    Raises:
        UnreadableRadiograph: the file cannot be opened, is empty, truncated, damaged, too large, or holds no
            single picture. The message names the file, the reason and what to do.
    """
    name = name or (str(source) if isinstance(source, Path) else "radiograph")
    try:
        return _decoded(_content(source) if isinstance(source, Path) else source)
    except UnreadableRadiograph as error:
        raise UnreadableRadiograph(f"{name}: {error}") from error
    except OSError as error:
        raise UnreadableRadiograph(f"{name}: cannot be opened ({error.strerror})") from error


def check_file_size(size: int) -> None:
    """Refuse a file by its size in bytes, before any memory is taken for it.

    Raises:
        UnreadableRadiograph: more than `MAX_FILE_BYTES`.
    """
    if size > MAX_FILE_BYTES:
        raise UnreadableRadiograph(f"is {size / 1e9:.1f} GB, too large for a radiograph; export one picture")


def is_known_format(data: bytes) -> bool:
    """Whether a file begins as one of the formats does that are read here."""
    return data.startswith((jpeg.MAGIC, png.MAGIC, *tiff.MAGICS)) or looks_like_dicom(data)


def _content(path: Path) -> bytes:
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        check_file_size(size)
        return file.read(size)


def _decoded(data: bytes) -> Radiograph:
    if data.startswith(jpeg.MAGIC):
        return _picture(jpeg.decode_jpeg(data))
    if data.startswith(png.MAGIC):
        return _picture(png.decode_png(data))
    if looks_like_dicom(data):
        return read_dicom(data)
    if data.startswith(tiff.MAGICS):
        return _picture(tiff.decode_tiff(data))
    reason = "is not a PNG, JPEG, TIFF or DICOM file, whatever its name says" if data else "is empty"
    raise UnreadableRadiograph(f"{reason}; copy or export it again")


def _picture(pixels: np.ndarray) -> Radiograph:
    return Radiograph(pixels, laterality=None, age_months=None, sex=None, polarity_known=False)
