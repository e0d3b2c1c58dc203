"""DICOM files: stored values to what a reader sees, bone white."""

import logging
import textwrap
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import cv2
import gdcm
import numpy as np
from pydicom import Dataset, dcmread
from pydicom.encaps import get_frame
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, pixel_array
from pydicom.uid import (
    JPEG2000,
    UID,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from boneage_kedro.imaging.formats import dicom_header
from boneage_kedro.imaging.formats.decoding import MAX_PIXELS, check_size
from boneage_kedro.imaging.formats.jpeg import read_frame
from boneage_kedro.imaging.radiograph import Radiograph, UnreadableRadiograph

_EXPORT = "export the radiograph again, uncompressed or as JPEG 2000 or RLE, or as 16-bit PNG"
_MAX_INFLATED = 2 * MAX_PIXELS + 2**24  # bytes: of the largest picture, with an ample header
_INFLATE_AT_ONCE = 2**24
_MONOCHROME = ("MONOCHROME1", "MONOCHROME2")
_ONE_AT_A_TIME = threading.Lock()  # warnings can only be held back for the whole process

# GDCM can take the process down with it on a damaged file, so it gets only what nothing else reads.
_PLUGINS = {
    RLELossless: "pydicom",
    JPEGBaseline8Bit: "pillow",
    JPEGExtended12Bit: "pillow",
    JPEG2000Lossless: "pillow",
    JPEG2000: "pillow",
    JPEGLossless: "gdcm",
    JPEGLosslessSV1: "gdcm",
    JPEGLSLossless: "gdcm",
    JPEGLSNearLossless: "gdcm",
}
_JPEG_FAMILY = _PLUGINS.keys() - {RLELossless, JPEG2000Lossless, JPEG2000}

# Both report what they stumble over without the name of the file; here it is raised.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)
gdcm.Trace.WarningOff()
gdcm.Trace.ErrorOff()


class BoundedFile(BytesIO):
    """A file for pydicom that is not inflated to more than a radiograph has; 1 MB may hold 1 GB of zeros."""

    def read(self, size: int | None = -1) -> bytes:
        """As of any file; only of a deflated one does pydicom ask for all the rest at once."""
        found = super().read(size)
        if size is None or size < 0:
            _check_inflation(found)
        return found


def _check_inflation(deflated: bytes) -> None:
    inflator = zlib.decompressobj(-zlib.MAX_WBITS)
    left, inflated = deflated, 0
    while left and not inflator.eof:
        inflated += len(inflator.decompress(left, _INFLATE_AT_ONCE))
        left = inflator.unconsumed_tail
        if inflated > _MAX_INFLATED:
            raise UnreadableRadiograph(
                f"the DICOM file unpacks to more than {_MAX_INFLATED / 1e6:.0f} MB, as no radiograph does; {_EXPORT}"
            )


def looks_like_dicom(data: bytes) -> bool:
    """Tell a DICOM file by its preamble, or one without it by a first element in group 0002 or 0008."""
    return data[128:132] == b"DICM" or (data[:2] in {b"\x02\0", b"\x08\0"} and data[3:4] == b"\0")


def read_dicom(data: bytes) -> Radiograph:
    """Read the one frame of a DICOM file: Modality rescale, VOI LUT or window, MONOCHROME1 turned.

    Pixels are uint8 or uint16 where they are whole numbers in that range, and float32 otherwise. Padding, as
    outside the collimator, gets the value of the darkest pixel.

    Raises:
        UnreadableRadiograph: truncated, damaged, without a picture, of several frames, too large, or in a
            transfer syntax that no decoder here reads.
    """
    with held_back_warnings():
        try:
            header = dcmread(BoundedFile(data), force=True)
            _check_header(header)
            return _radiograph(header)
        except UnreadableRadiograph:
            raise
        except Exception as error:  # pydicom and its decoders raise whatever they stumble over
            raise UnreadableRadiograph(
                f"the DICOM file is damaged, cut short or of a kind not read here ({_quoted(error)}); {_EXPORT}"
            ) from error


@contextmanager
def held_back_warnings() -> Iterator[None]:
    """Keep pydicom from telling what it stumbles over, in words that may name the patient; one thread at a time."""
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _quoted(words: object) -> str:
    """Make a line of what may hold anything, as text from a damaged file does."""
    printable = "".join(letter if letter.isprintable() else " " for letter in str(words))
    return textwrap.shorten(printable, width=200, placeholder=" ...")


def _check_header(header: Dataset) -> None:
    if "PixelData" not in header:
        kind = _quoted(UID(header.get("SOPClassUID", "")).name) or "of unknown kind"
        raise UnreadableRadiograph(f"the DICOM file ({kind}) holds no picture or is cut short; {_EXPORT}")
    frames = int(header.get("NumberOfFrames") or 1)
    if frames > 1:
        raise UnreadableRadiograph(f"the DICOM file holds {frames} frames; export the one radiograph")
    if header.BitsAllocated > 16:
        raise UnreadableRadiograph(
            f"stores {header.BitsAllocated} bits a pixel, more than any radiograph; {_EXPORT}"
        )
    check_size(header.Rows, header.Columns)


def _decoding_plugin(header: Dataset) -> str:
    """Name pydicom's plugin for the transfer syntax; empty when the pixels are not compressed."""
    if "TransferSyntaxUID" not in header.file_meta:  # a bare data set, without the header of a file
        implicit, _ = header.original_encoding
        header.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    syntax = header.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated:
        return ""
    if syntax not in _PLUGINS:
        raise UnreadableRadiograph(
            f"its transfer syntax, {_quoted(syntax.name)}, cannot be decoded here; {_EXPORT}"
        )
    if syntax in _JPEG_FAMILY:
        _check_stream(header)
    return _PLUGINS[syntax]


def _check_stream(header: Dataset) -> None:
    """See that a JPEG stream is whole and what the header announces; its decoders take too much on trust."""
    frame = read_frame(get_frame(header.PixelData, 0, number_of_frames=1))
    fits = (frame.rows, frame.columns) == (header.Rows, header.Columns)
    if not fits or frame.precision > header.BitsAllocated:
        raise UnreadableRadiograph(
            f"its JPEG stream holds {frame.columns} x {frame.rows} pixels of {frame.precision} bits, "
            f"its header states {header.Columns} x {header.Rows} of {header.BitsAllocated}; {_EXPORT}"
        )


def _radiograph(header: Dataset) -> Radiograph:
    stored = pixel_array(header, decoding_plugin=_decoding_plugin(header))
    if stored.shape[:2] != (
        header.Rows,
        header.Columns,
    ):  # pydicom takes data that is too long for many frames
        raise UnreadableRadiograph(
            f"the DICOM file says {header.Rows} x {header.Columns} pixels and holds data of other size; {_EXPORT}"
        )
    monochrome = header.PhotometricInterpretation in _MONOCHROME
    return Radiograph(
        pixels=_displayed(stored, header) if monochrome else _color_to_gray(stored, header),
        laterality=dicom_header.laterality(header),
        age_months=dicom_header.age_months(header),
        sex=dicom_header.sex(header),
        polarity_known=monochrome and dicom_header.polarity_is_consistent(header),
    )


def _color_to_gray(stored: np.ndarray, header: Dataset) -> np.ndarray:
    if header.PhotometricInterpretation == "PALETTE COLOR":
        stored = apply_color_lut(stored, header)
    return cv2.cvtColor(np.ascontiguousarray(stored[..., :3]), cv2.COLOR_RGB2GRAY)


def _displayed(stored: np.ndarray, header: Dataset) -> np.ndarray:
    """Take stored values to displayed ones through a table, as every step depends on the value alone."""
    low, high = int(stored.min()), int(stored.max())
    values = np.arange(low, high + 1, dtype=stored.dtype)
    table = _windowed(_rescaled(values, header), header)
    if header.PhotometricInterpretation == "MONOCHROME1":
        table = table.max() - table + table.min()
    padded = _padded(values, header)
    if padded.any() and not padded.all():
        table = np.where(padded, table[~padded].min(), table)
    with np.errstate(over="ignore"):
        finite = np.isfinite(table.astype(np.float32)).all()
    if not finite:
        raise UnreadableRadiograph(
            "its rescale or window makes gray values that are not finite; mend its header"
        )
    if np.array_equal(table, values) and stored.dtype in (np.uint8, np.uint16):
        return stored
    return _smallest(table)[stored.astype(np.int32) - low]


def _rescaled(values: np.ndarray, header: Dataset) -> np.ndarray:
    """Apply the modality LUT or rescale; one that is there but empty changes nothing."""
    empty = "RescaleSlope" in header and None in (header.RescaleSlope, header.get("RescaleIntercept"))
    return values if empty else apply_modality_lut(values, header)


def _windowed(values: np.ndarray, header: Dataset) -> np.ndarray:
    """Apply the VOI LUT or window, unless it is so wrong that nothing would be seen."""
    try:
        windowed = apply_voi_lut(values, header)
    except ValueError:  # a window of width 0
        return values
    return values if windowed.min() == windowed.max() else windowed


def _padded(values: np.ndarray, header: Dataset) -> np.ndarray:
    """Tell which stored values stand for "no picture here", as outside the collimator."""
    if "PixelPaddingValue" not in header:
        return np.zeros(values.shape, bool)
    limits = header.PixelPaddingValue, header.get("PixelPaddingRangeLimit", header.PixelPaddingValue)
    return (values >= min(limits)) & (values <= max(limits))


def _smallest(table: np.ndarray) -> np.ndarray:
    """Keep whole numbers as such, whatever type they were computed in."""
    if table.min() >= 0 and not (table % 1).any():
        for dtype in (np.uint8, np.uint16):
            if table.max() <= np.iinfo(dtype).max:
                return table.astype(dtype)
    return table.astype(np.float32)
