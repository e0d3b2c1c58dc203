"""Ordinary picture files: every pixel arrives, in its place and in its full range."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from boneage_kedro.cohort.columns import RADIOGRAPH_SUFFIXES
from boneage_kedro.imaging.formats.decoding import MAX_PIXELS
from boneage_kedro.imaging.radiograph import Radiograph, UnreadableRadiograph
from boneage_kedro.imaging.reading import MAX_FILE_BYTES, read_radiograph
from tests.imaging.files import COLUMNS, ROWS, encoded, picture, saved, tiff

GRAY8 = picture()
GRAY16 = picture(np.uint16, 60000)
LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601: how much red, green and blue count for the luminance


def png_with(*chunks: tuple[bytes, bytes]) -> bytes:
    """GRAY8 as PNG with further chunks between the header and the pixels."""
    data = encoded(GRAY8, ".png")
    extra = b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
    return data[:33] + extra + data[33:]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (encoded(GRAY8, ".png"), GRAY8),
        (encoded(GRAY16, ".png"), GRAY16),
        (encoded(cv2.cvtColor(GRAY8, cv2.COLOR_GRAY2BGR), ".png"), GRAY8),
        (encoded(cv2.cvtColor(GRAY16, cv2.COLOR_GRAY2BGR), ".png"), GRAY16),
        (encoded(cv2.cvtColor(GRAY8, cv2.COLOR_GRAY2BGRA), ".png"), GRAY8),
        (saved(Image.fromarray(GRAY8).convert("P"), "PNG"), GRAY8),
        (saved(Image.fromarray(GRAY8).convert("LA"), "PNG"), GRAY8),
        (saved(Image.fromarray(GRAY8 > 99), "PNG"), (GRAY8 > 99) * np.uint8(255)),
        (encoded(GRAY8, ".tif"), GRAY8),
        (encoded(GRAY16, ".tif"), GRAY16),
        (tiff(GRAY8), GRAY8),
        (tiff(GRAY16), GRAY16),
        (tiff(GRAY16, order=">"), GRAY16),
        (tiff(GRAY8 / np.float32(3)), GRAY8 / np.float32(3)),
        (tiff(GRAY8 / 4), GRAY8 / np.float32(4)),
        (tiff((GRAY16.astype(int) - 30000).astype(np.int16)), GRAY16.astype(np.float32) - 30000),
        (saved(Image.fromarray(GRAY8), "TIFF", compression="tiff_adobe_deflate"), GRAY8),
        (saved(Image.fromarray(GRAY16), "TIFF", big_tiff=True), GRAY16),
    ],
    ids=str,
)
def test_lossless_files_give_the_very_pixels(data: bytes, expected: np.ndarray) -> None:
    pixels = read_radiograph(data).pixels
    assert pixels.dtype == expected.dtype
    np.testing.assert_array_equal(pixels, expected)


def test_only_dicom_tells_about_the_child_and_the_polarity() -> None:
    radiograph = read_radiograph(encoded(GRAY8, ".png"))
    assert (radiograph.laterality, radiograph.age_months, radiograph.sex) == (None, None, None)
    assert not radiograph.polarity_known


@pytest.mark.parametrize(
    "options", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 1)]
)
def test_jpeg_of_any_kind_is_within_its_loss(options: tuple[int, ...]) -> None:
    pixels = read_radiograph(encoded(GRAY8, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 95, *options)).pixels
    assert pixels.dtype == np.uint8
    np.testing.assert_allclose(pixels.astype(int), GRAY8, atol=4)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_colour_becomes_luminance(suffix: str) -> None:
    blue, green, red = 10, 200, 90
    pixels = read_radiograph(encoded(np.full((32, 32, 3), (blue, green, red), np.uint8), suffix)).pixels
    luminance = np.dot(LUMINANCE, (red, green, blue))
    np.testing.assert_allclose(pixels, np.full((32, 32), luminance), atol=1.01)


def test_transparent_pixels_are_black_and_half_transparent_ones_half_as_bright() -> None:
    pixels = np.full((ROWS, COLUMNS, 4), 200, np.uint8)
    pixels[..., 3] = 255
    pixels[0, 0, 3], pixels[1, 1, 3] = 0, 128
    read = read_radiograph(encoded(pixels, ".png")).pixels
    assert (read[0, 0], read[1, 1], read[2, 2]) == (0, 100, 200)


def test_tiff_that_calls_white_zero_is_inverted() -> None:
    np.testing.assert_array_equal(read_radiograph(tiff(GRAY8, photometric=0)).pixels, 255 - GRAY8)
    np.testing.assert_array_equal(read_radiograph(tiff(GRAY16, photometric=0)).pixels, 60000 - GRAY16)


def test_twelve_bit_tiff_keeps_all_its_levels() -> None:
    levels = picture(np.uint16, 4095)
    bits = "".join(f"{level:012b}" for level in levels.ravel())
    packed = np.frombuffer(int(bits, 2).to_bytes(len(bits) // 8, "big"), np.uint8)
    pixels = read_radiograph(tiff(packed, bits=12)).pixels
    np.testing.assert_array_equal(pixels, levels * 16)  # the decoder widens 12 bits to 16


def test_tiff_that_would_lose_its_sixteen_bits_is_refused() -> None:
    gray_and_alpha = tiff(np.stack([GRAY16, GRAY16], axis=-1))
    one_sample, two_samples = (struct.pack("<HHIHH", 277, 3, 1, samples, 0) for samples in (1, 2))
    with pytest.raises(UnreadableRadiograph, match="16 bits could be decoded only to 8"):
        read_radiograph(gray_and_alpha.replace(one_sample, two_samples))


def test_thumbnail_page_of_a_tiff_is_no_second_radiograph() -> None:
    pages = [Image.fromarray(GRAY8), Image.fromarray(GRAY8[::2, ::2].copy())]
    two_pages = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    with pytest.raises(UnreadableRadiograph, match="holds 2 pages"):
        read_radiograph(two_pages)
    pages[1].encoderinfo = {"tiffinfo": {254: 1}}
    with_thumbnail = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    np.testing.assert_array_equal(read_radiograph(with_thumbnail).pixels, GRAY8)


def test_exif_orientation_does_not_turn_the_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees to view
    for kind in ("JPEG", "PNG"):
        assert read_radiograph(saved(Image.fromarray(GRAY8), kind, exif=exif)).pixels.shape == (ROWS, COLUMNS)


def test_png_colour_profile_and_gamma_change_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    data = png_with((b"gAMA", struct.pack(">I", 100000)), (b"iCCP", b"x\0\0" + zlib.compress(b"no profile")))
    np.testing.assert_array_equal(read_radiograph(data).pixels, GRAY8)
    assert capfd.readouterr().err == ""


def test_animated_png_gives_its_still_picture() -> None:
    frames = [Image.fromarray(GRAY8), Image.fromarray(255 - GRAY8)]
    data = saved(frames[0], "PNG", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(read_radiograph(data).pixels, GRAY8)


def test_path_and_bytes_read_alike_whatever_the_suffix(tmp_path) -> None:
    path = tmp_path / "hand.dcm"
    path.write_bytes(encoded(GRAY8, ".png"))
    assert isinstance(read_radiograph(path), Radiograph)
    np.testing.assert_array_equal(read_radiograph(path).pixels, GRAY8)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in RADIOGRAPH_SUFFIXES)


def huge_png() -> bytes:
    """A few hundred bytes that state 60000 x 60000 pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    data = encoded(GRAY8, ".png")
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]


def huge_jpeg() -> bytes:
    data = bytearray(encoded(GRAY8, ".jpg"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 60000, 60000)
    return bytes(data)


def huge_tiff() -> bytes:
    return tiff(GRAY8).replace(struct.pack("<HHII", 257, 4, 1, ROWS), struct.pack("<HHII", 257, 4, 1, 10**7))


@pytest.mark.parametrize("data", [huge_png(), huge_jpeg(), huge_tiff()], ids=["png", "jpeg", "tiff"])
def test_absurd_size_is_refused_before_memory_is_taken(data: bytes) -> None:
    with pytest.raises(UnreadableRadiograph, match=f"limit of {MAX_PIXELS:,}"):
        read_radiograph(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"id,boneage,male\n1,12,True\n", "is not a PNG, JPEG, TIFF or DICOM file"),
        (b"GIF89a" + bytes(100), "is not a PNG, JPEG, TIFF or DICOM file"),
        (encoded(GRAY8[:4, :4], ".png"), "4 x 4 pixels, too few"),
        (encoded(GRAY8, ".png")[:-20], "PNG file is cut short"),
        (encoded(GRAY8, ".png").replace(b"IDAT", b"IDAX"), "PNG file is damaged"),
        (encoded(GRAY8, ".jpg")[:-2], "JPEG stream is damaged or cut short"),
        (encoded(GRAY8, ".tif")[:-2], "TIFF file is damaged or cut short"),
        (tiff(GRAY8 / np.float32(0.0001) - np.float32(np.inf)), "NaN or infinite"),
    ],
)
def test_what_is_no_radiograph_is_refused_with_name_and_reason(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableRadiograph, match=rf"^case 7: .*{reason}.*;") as caught:
        read_radiograph(data, name="case 7")
    assert "\n" not in str(caught.value)


def test_truncated_jpeg_with_a_whole_thumbnail_inside_is_still_truncated() -> None:
    exif = Image.Exif()
    thumbnail = encoded(GRAY8, ".jpg")
    data = saved(Image.fromarray(GRAY8), "JPEG", exif=exif.tobytes() + thumbnail)
    assert data.count(b"\xff\xd9") == 2
    with pytest.raises(UnreadableRadiograph, match="cut short"):
        read_radiograph(data[:-30])


def test_twelve_bit_jpeg_is_named_as_such() -> None:
    data = bytearray(encoded(GRAY8, ".jpg"))
    data[data.index(b"\xff\xc0") + 4] = 12
    with pytest.raises(UnreadableRadiograph, match="12-bit JPEG"):
        read_radiograph(bytes(data))


def test_missing_file_and_folder_are_unreadable(tmp_path) -> None:
    with pytest.raises(UnreadableRadiograph, match=r"absent\.png: cannot be opened"):
        read_radiograph(tmp_path / "absent.png")
    with pytest.raises(UnreadableRadiograph, match="cannot be opened"):
        read_radiograph(tmp_path)


def test_file_too_large_to_be_a_radiograph_is_not_even_opened(tmp_path) -> None:
    path = tmp_path / "film.dcm"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(UnreadableRadiograph, match=r"film\.dcm: is 1\.1 GB"):
        read_radiograph(path)


def test_real_radiographs_read_as_pillow_reads_them(shared_rsna) -> None:
    for path in sorted((shared_rsna / "half").iterdir())[:5]:
        with Image.open(io.BytesIO(path.read_bytes())) as image:
            reference = np.asarray(image.convert("L"))
        np.testing.assert_allclose(read_radiograph(path).pixels.astype(int), reference, atol=1)
