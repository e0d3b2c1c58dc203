"""Damaged files: a radiograph or a clear refusal, never another exception, never half a picture."""

import struct
import zlib
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from boneage_kedro.imaging.radiograph import Radiograph, UnreadableRadiograph
from boneage_kedro.imaging.reading import read_radiograph
from tests.imaging.files import dicom, encoded, picture, recompressed, saved, tiff

GRAY8 = picture()
GRAY16 = picture(np.uint16, 60000)
FLIPPED_FILES = 200


def run_length_encoded() -> bytes:
    dataset = dcmread(BytesIO(dicom(GRAY8)))
    dataset.compress(RLELossless)
    buffer = BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


FILES = {
    "png": encoded(GRAY16, ".png"),
    "jpeg": encoded(GRAY8, ".jpg"),
    "progressive jpeg": encoded(GRAY8, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "tiff": tiff(GRAY16),
    "tiff, directory first": saved(Image.fromarray(GRAY8), "TIFF"),
    "lzw tiff": encoded(GRAY16, ".tif"),
    "jpeg tiff": saved(Image.fromarray(GRAY8), "TIFF", compression="jpeg"),
    "dicom": dicom(GRAY8),
    "deflated dicom": dicom(GRAY8, DeflatedExplicitVRLittleEndian),
    "jpeg dicom": dicom(encoded(GRAY8, ".jpg"), JPEGBaseline8Bit),
    "jpeg 2000 dicom": dicom(saved(Image.fromarray(GRAY8), "JPEG2000", no_jp2=True), JPEG2000Lossless),
    "rle dicom": run_length_encoded(),
    "jpeg lossless dicom": recompressed(dicom(GRAY8), JPEGLosslessSV1),
    "jpeg-ls dicom": recompressed(dicom(GRAY8), JPEGLSLossless),
}
each_file = pytest.mark.parametrize("name", FILES)


def read_or_refuse(data: bytes) -> Radiograph | None:
    try:
        return read_radiograph(data, name="hand")
    except UnreadableRadiograph as refusal:
        assert str(refusal).startswith("hand: ")
        assert "\n" not in str(refusal)
        return None


@each_file
def test_truncated_anywhere_it_is_refused_or_whole(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A few formats end in bytes that no pixel depends on; nothing else may be missing unnoticed."""
    data = FILES[name]
    whole = read_radiograph(data).pixels
    survivors = {length: read_or_refuse(data[:length]) for length in range(len(data))}
    for length, radiograph in survivors.items():
        if radiograph is not None:
            assert length >= len(data) - 8
            np.testing.assert_array_equal(radiograph.pixels, whole)
    assert capfd.readouterr().err == ""


@each_file
def test_flipped_bytes_give_a_radiograph_or_a_refusal(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    data, rng = FILES[name], np.random.default_rng(3)
    for _ in range(FLIPPED_FILES):
        damaged = np.frombuffer(data, np.uint8).copy()
        damaged[rng.integers(damaged.size, size=3)] = rng.integers(256, size=3)
        radiograph = read_or_refuse(damaged.tobytes())
        if radiograph is not None:
            assert radiograph.pixels.ndim == 2
            assert radiograph.pixels.dtype in (np.uint8, np.uint16, np.float32)
            assert np.isfinite(radiograph.pixels).all()
    if name not in {
        "jpeg",
        "progressive jpeg",
        "jpeg lossless dicom",
    }:  # libjpeg itself tells of corrupt data
        assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "start", [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0+", bytes(128) + b"DICM"]
)
def test_noise_behind_any_magic_number_is_refused(start: bytes) -> None:
    rng = np.random.default_rng(4)
    for size in (0, 1, 7, 60, 3000):
        with pytest.raises(UnreadableRadiograph):
            read_radiograph(start + rng.bytes(size))


def test_a_deflated_file_that_unpacks_to_too_much_is_refused_before_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = dicom(GRAY8, DeflatedExplicitVRLittleEndian)
    begin = 144 + struct.unpack_from("<I", whole, 140)[0]
    dataset = zlib.decompressobj(-zlib.MAX_WBITS).decompress(whole[begin:])
    zeros = bytes(5_000_000)
    element = struct.pack("<HH2sHI", 0x7FE1, 0x1010, b"OB", 0, len(zeros))
    pack = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = whole[:begin] + pack.compress(dataset + element + zeros) + pack.flush()
    assert len(bomb) < 10_000
    np.testing.assert_array_equal(read_radiograph(bomb).pixels, GRAY8)  # so much is still allowed
    monkeypatch.setattr("boneage_kedro.imaging.formats.dicom._MAX_INFLATED", 2_000_000)
    with pytest.raises(UnreadableRadiograph, match="unpacks to more than 2 MB"):
        read_radiograph(bomb)


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_jpeg_of_endless_scans_is_refused(wrapped: bool) -> None:
    """Each scan goes over the whole picture again, so a small file could keep a decoder busy for hours."""
    whole = encoded(GRAY8, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    last_scan = whole[whole.rindex(b"\xff\xda") : -2]
    endless = whole[:-2] + last_scan * 100 + whole[-2:]
    with pytest.raises(UnreadableRadiograph, match="more than 100 scans"):
        read_radiograph(dicom(endless, JPEGBaseline8Bit) if wrapped else endless)


def test_more_pixels_than_the_header_says_are_no_frames() -> None:
    with pytest.raises(UnreadableRadiograph, match="holds data of other size"):
        read_radiograph(dicom(np.tile(GRAY8, (3, 1))))
