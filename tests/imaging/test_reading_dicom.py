"""DICOM: from stored values to what a reader sees, and what the header tells."""

import warnings
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.uid import (
    MPEG2MPML,
    ExplicitVRBigEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.imaging.parallel import map_ordered
from boneage_kedro.imaging.radiograph import UnreadableRadiograph
from boneage_kedro.imaging.reading import read_radiograph
from tests.imaging.files import COLUMNS, ROWS, dicom, encoded, picture, recompressed, saved

GRAY8 = picture()
GRAY12 = picture(np.uint16, 4095)
WINDOW = {"WindowCenter": 2000, "WindowWidth": 1000}


def test_stored_values_come_unchanged_when_the_header_changes_nothing() -> None:
    for stored in (GRAY8, GRAY12):
        radiograph = read_radiograph(dicom(stored))
        assert radiograph.pixels.dtype == stored.dtype
        np.testing.assert_array_equal(radiograph.pixels, stored)
        assert radiograph.polarity_known


def test_monochrome1_is_turned_within_its_own_range() -> None:
    pixels = read_radiograph(dicom(GRAY12, PhotometricInterpretation="MONOCHROME1", BitsStored=12)).pixels
    assert pixels.dtype == np.uint16
    np.testing.assert_array_equal(pixels, 4095 - GRAY12)


def test_rescale_comes_before_the_window() -> None:
    """Slope 2 and intercept -1000 take stored 1500 to 2000, the middle of the window."""
    header = {"RescaleSlope": 2, "RescaleIntercept": -1000, "RescaleType": "US", **WINDOW}
    stored = GRAY12.copy()
    stored[0, :3] = 1500, 1000, 2000  # rescaled: the middle, and the two ends and beyond
    pixels = read_radiograph(dicom(stored, **header)).pixels
    middle, lowest, highest = pixels[0, :3]
    assert lowest == pixels.min()
    assert highest == pixels.max()
    assert middle == pytest.approx((lowest + highest) / 2, rel=0.002)


def test_rescale_alone() -> None:
    pixels = read_radiograph(
        dicom(GRAY12, RescaleSlope="0.5", RescaleIntercept="-10", RescaleType="US")
    ).pixels
    assert pixels.dtype == np.float32
    np.testing.assert_allclose(pixels, GRAY12 * 0.5 - 10)


def test_window_then_monochrome1() -> None:
    header = {**WINDOW, "BitsStored": 12}
    straight = read_radiograph(dicom(GRAY12, **header)).pixels
    turned = read_radiograph(dicom(GRAY12, PhotometricInterpretation="MONOCHROME1", **header)).pixels
    np.testing.assert_allclose(turned, straight.max() + straight.min() - straight, atol=0.01)


@pytest.mark.parametrize(
    "header",
    [
        {"WindowCenter": 50000, "WindowWidth": 10},
        {"WindowCenter": 2000, "WindowWidth": 0},
        {"WindowCenter": "", "WindowWidth": ""},
        {"RescaleSlope": "", "RescaleIntercept": ""},
    ],
)
def test_header_that_would_hide_the_picture_is_left_out(header: dict) -> None:
    np.testing.assert_array_equal(read_radiograph(dicom(GRAY12, **header)).pixels, GRAY12)


def test_first_of_several_windows_counts() -> None:
    both = {"WindowCenter": [2000, 50], "WindowWidth": [1000, 50]}
    first = read_radiograph(dicom(GRAY12, **WINDOW)).pixels
    np.testing.assert_array_equal(read_radiograph(dicom(GRAY12, **both)).pixels, first)


def test_voi_lut_is_applied() -> None:
    lut = Dataset()
    lut.LUTDescriptor, lut.LUTData = [256, 0, 16], [level**2 for level in range(256)]
    lut["LUTDescriptor"].VR = lut["LUTData"].VR = "US"
    pixels = read_radiograph(dicom(GRAY8, VOILUTSequence=[lut])).pixels
    np.testing.assert_array_equal(pixels, GRAY8.astype(np.uint16) ** 2)


def test_signed_values() -> None:
    stored = (GRAY12.astype(int) - 2048).astype(np.int16)
    pixels = read_radiograph(dicom(stored, BitsStored=12)).pixels
    np.testing.assert_array_equal(pixels, stored.astype(np.float32))


def test_bits_above_the_stored_ones_are_not_part_of_the_picture() -> None:
    np.testing.assert_array_equal(read_radiograph(dicom(GRAY12 | 0x8000, BitsStored=12)).pixels, GRAY12)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_as_dark_as_the_darkest_pixel(photometric: str) -> None:
    stored = GRAY12 + np.uint16(100)
    stored[:, -4:] = 60000
    header = {"PhotometricInterpretation": photometric, "PixelPaddingValue": 60000}
    pixels = read_radiograph(dicom(stored, **header)).pixels
    assert (pixels[:, -4:] <= pixels[:, :-4].min()).all()
    assert pixels[:, :-4].min() < pixels[:, :-4].max()


def test_constant_picture_with_window_and_padding() -> None:
    stored = np.full((ROWS, COLUMNS), 7, np.uint16)
    pixels = read_radiograph(dicom(stored, PixelPaddingValue=7, **WINDOW)).pixels
    assert pixels.min() == pixels.max()


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_uncompressed_encodings(syntax) -> None:
    stored = GRAY12.astype(">u2") if syntax == ExplicitVRBigEndian else GRAY12
    np.testing.assert_array_equal(read_radiograph(dicom(stored, syntax)).pixels, GRAY12)


def test_compressed_encodings() -> None:
    jpeg2000 = saved(Image.fromarray(GRAY8), "JPEG2000", no_jp2=True)
    np.testing.assert_array_equal(read_radiograph(dicom(jpeg2000, JPEG2000Lossless)).pixels, GRAY8)
    jpeg = dicom(encoded(GRAY8, ".jpg"), JPEGBaseline8Bit)
    np.testing.assert_allclose(read_radiograph(jpeg).pixels.astype(int), GRAY8, atol=4)
    rle = dcmread(BytesIO(dicom(GRAY12)))
    rle.compress(RLELossless)
    buffer = BytesIO()
    rle.save_as(buffer)
    np.testing.assert_array_equal(read_radiograph(buffer.getvalue()).pixels, GRAY12)


@pytest.mark.parametrize("syntax", [JPEGLossless, JPEGLosslessSV1, JPEGLSLossless])
def test_encodings_that_only_gdcm_reads(syntax) -> None:
    data = recompressed(dicom(GRAY12, BitsStored=12), syntax)
    assert dcmread(BytesIO(data)).file_meta.TransferSyntaxUID == syntax
    np.testing.assert_array_equal(read_radiograph(data).pixels, GRAY12)


@pytest.mark.parametrize("syntax", [HTJ2KLossless, MPEG2MPML])
def test_encoding_that_cannot_be_decoded_is_named(syntax) -> None:
    with pytest.raises(UnreadableRadiograph, match=f"{syntax.name[:12]}.*cannot be decoded here"):
        read_radiograph(dicom(b"\0" * 40, syntax))


@pytest.mark.parametrize("precision", [27, 8])
def test_jpeg_stream_that_belies_its_header_does_not_reach_the_decoder(precision: int) -> None:
    stream = bytearray(encoded(GRAY8[:, :-1].copy(), ".jpg"))
    stream[stream.index(b"\xff\xc0") + 4] = precision
    with pytest.raises(
        UnreadableRadiograph, match=f"holds 27 x 20 pixels of {precision} bits, .* states 28 x 20 of 8"
    ):
        read_radiograph(dicom(bytes(stream), JPEGLSLossless))


def test_colour_becomes_luminance() -> None:
    red = np.zeros((ROWS, COLUMNS, 3), np.uint8)
    red[..., 0] = 200
    header = {"SamplesPerPixel": 3, "PlanarConfiguration": 0, "PhotometricInterpretation": "RGB"}
    radiograph = read_radiograph(dicom(red, **header))
    np.testing.assert_allclose(radiograph.pixels, np.full((ROWS, COLUMNS), 0.299 * 200), atol=1)
    assert not radiograph.polarity_known


def test_palette() -> None:
    ramp = np.arange(255, -1, -1, dtype=np.uint16) * 257  # index 0 is white
    tables = {
        f"{color}PaletteColorLookupTable{part}": value
        for color in ("Red", "Green", "Blue")
        for part, value in (("Descriptor", [256, 0, 16]), ("Data", ramp.tobytes()))
    }
    radiograph = read_radiograph(dicom(GRAY8, PhotometricInterpretation="PALETTE COLOR", **tables))
    np.testing.assert_array_equal(radiograph.pixels, (255 - GRAY8.astype(np.uint16)) * 257)
    assert not radiograph.polarity_known


def test_dicom_without_preamble_and_file_header() -> None:
    data = dicom(GRAY12, ImplicitVRLittleEndian)
    bare = data[data.index(b"\x08\0\x16\0") :]
    np.testing.assert_array_equal(read_radiograph(bare).pixels, GRAY12)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"NumberOfFrames": 12}, "holds 12 frames"),
        ({"PixelData": None}, "Digital X-Ray Image.* holds no picture"),
        ({"Rows": 0}, "28 x 0 pixels, too few"),
        ({"Rows": 60000, "Columns": 60000}, "60000 x 60000 pixels, more than the limit"),
        ({"Rows": 500}, "less than expected"),
        ({"BitsAllocated": 32, "BitsStored": 32}, "32 bits a pixel"),
        ({"Columns": None}, "Columns"),
        ({"PhotometricInterpretation": "GREEN1"}, "cannot|not read"),
    ],
)
def test_dicom_that_holds_no_radiograph_is_refused(header: dict, reason: str) -> None:
    with pytest.raises(UnreadableRadiograph, match=rf"^a\.dcm: .*({reason})") as caught:
        read_radiograph(dicom(GRAY12, **header), name="a.dcm")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("header", "side"),
    [
        ({"ImageLaterality": "R"}, "R"),
        ({"Laterality": "L"}, "L"),
        ({"ImageLaterality": "L", "Laterality": "R"}, "L"),
        ({"ImageLaterality": "B", "Laterality": "R"}, None),
        ({"Laterality": ""}, None),
        ({}, None),
    ],
)
def test_laterality(header: dict, side: str | None) -> None:
    assert read_radiograph(dicom(GRAY8, **header)).laterality == side


@pytest.mark.parametrize(
    ("header", "months"),
    [
        ({"PatientAge": "012Y"}, 144),
        ({"PatientAge": "036M"}, 36),
        ({"PatientAge": "008W"}, 8 * 7 * 12 / 365.25),
        ({"PatientAge": "020D"}, 20 * 12 / 365.25),
        ({"PatientAge": "000Y"}, 0),
        ({"PatientAge": ""}, None),
        ({}, None),
        ({"PatientBirthDate": "20100101", "StudyDate": "20200101"}, 120),
        ({"PatientBirthDate": "20100101", "StudyDate": "20200701", "PatientAge": "010Y"}, 126),
        ({"PatientBirthDate": "19000101", "StudyDate": "20200701", "PatientAge": "010Y"}, 120),
        ({"PatientBirthDate": "20200101", "StudyDate": "20100101"}, None),
        ({"PatientBirthDate": "19000101", "StudyDate": "20200701"}, None),
        ({"PatientBirthDate": "20100101"}, None),
        ({"StudyDate": "20200101"}, None),
        ({"PatientBirthDate": "20200101", "StudyDate": "20200101"}, 0),
        ({"PatientBirthDate": "20200201", "StudyDate": "20200101", "PatientAge": "003Y"}, 36),
    ],
)
def test_age(header: dict, months: float | None) -> None:
    assert read_radiograph(dicom(GRAY8, **header)).age_months == pytest.approx(months, abs=0.1)


@pytest.mark.parametrize(
    "date", ["201011  ", "2010011 ", "20100231", "20101301", "2010.1.1", "unknown!", "00000000"]
)
def test_a_birth_date_that_is_none_is_unknown(date: str) -> None:
    header = {"PatientBirthDate": "20100101", "StudyDate": "20200701"}
    data = dicom(GRAY8, **header).replace(b"20100101", date.encode())
    assert read_radiograph(data).age_months is None


@pytest.mark.parametrize("age", ["12", "1Y", "twelve", "12YY"])
def test_age_in_no_form_of_the_standard_is_unknown_or_plain(age: str) -> None:
    data = dicom(GRAY8, PatientAge="012Y").replace(b"012Y", age[:4].ljust(4).encode())
    assert read_radiograph(data).age_months == (12 if age == "1Y" else None)


@pytest.mark.parametrize(("letter", "sex"), [("F", Sex.FEMALE), ("M", Sex.MALE), ("O", None), ("", None)])
def test_sex_is_read_and_never_guessed(letter: str, sex: Sex | None) -> None:
    assert read_radiograph(dicom(GRAY8, PatientSex=letter)).sex == sex


@pytest.mark.parametrize(
    ("photometric", "sign", "known"),
    [
        ("MONOCHROME2", -1, True),
        ("MONOCHROME2", 1, False),
        ("MONOCHROME1", 1, True),
        ("MONOCHROME1", -1, False),
    ],
)
def test_header_that_contradicts_itself_does_not_settle_the_polarity(
    photometric: str, sign: int, known: bool
) -> None:
    header = {"PhotometricInterpretation": photometric, "PixelIntensityRelationshipSign": sign}
    assert read_radiograph(dicom(GRAY8, **header)).polarity_known is known


def test_many_threads_at_once_leave_the_filters_of_warnings_as_they_were() -> None:
    data = dicom(GRAY8, PatientAge="012Y").replace(b"012Y", b"oops")  # pydicom warns about this
    before = list(warnings.filters)
    for radiograph in map_ordered(read_radiograph, [data] * 40, workers=4, ahead=8):
        np.testing.assert_array_equal(radiograph.pixels, GRAY8)
    assert warnings.filters == before
