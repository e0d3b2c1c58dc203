"""Radiographs of every format, and the many ways in which a file can be wrong."""

import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from io import BytesIO

import cv2
import numpy as np
from PIL import Image
from pydicom import dcmread
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)
from tests.imaging import files

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.phantom import fabricate_hand

Mutation = Callable[[bytes, np.random.Generator], bytes]

_SIDE = 96
_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
_PATIENT = {
    "PatientName": "Miller^Ann",
    "PatientID": "4711",
    "PatientSex": "F",
    "PatientAge": "008Y",
    "StudyInstanceUID": "1.2.3.4",
    "SeriesInstanceUID": "1.2.3.4.5",
    "ImageLaterality": "L",
}
_DICOM_VALUES: dict[str, tuple[object, ...]] = {
    "Rows": (0, 1, 95, 97, 192, 65535),
    "Columns": (0, 1, 95, 97, 192, 65535),
    "BitsAllocated": (0, 1, 8, 12, 16, 32, 64),
    "BitsStored": (0, 1, 7, 12, 16, 17),
    "HighBit": (0, 3, 15, 31),
    "PixelRepresentation": (0, 1, 2),
    "SamplesPerPixel": (0, 1, 3, 4),
    "PlanarConfiguration": (0, 1, 7),
    "PhotometricInterpretation": ("MONOCHROME1", "RGB", "YBR_FULL_422", "PALETTE COLOR", "", "GREEN1"),
    "NumberOfFrames": ("0", "1", "2", "-1", "99999999"),
    "WindowCenter": ("1e308", "-1e308", "0", "", ["1", "2"]),
    "WindowWidth": ("1e308", "-5", "0", "1", "", ["1", "2"]),
    "RescaleSlope": ("1e308", "-1", "0", "1e-300", ""),
    "RescaleIntercept": ("1e308", "-1e308", "7", ""),
    "PixelPaddingValue": (0, 255, 65535),
    "PixelIntensityRelationshipSign": (-1, 0, 1),
    "PatientAge": ("999Y", "000D", "", "abcY"),
    "PatientBirthDate": ("19000101", "20300101", "", "20100231"),
    "StudyDate": ("20200101", "", "00010101", "99991231"),
    "PatientName": ("", "A=B=C=D=E", "x" * 300, "\\\\", "Ä^Ö"),
    "Modality": ("", "SR", "DX"),
    "PatientID": ("", "x" * 300, "a\\b"),
    "StudyInstanceUID": ("", "abc", "1.2.3", "1." * 60),
    "SpecificCharacterSet": ("", "ISO_IR 100", "ISO_IR 192", "nonsense", ["", "ISO 2022 IR 87"]),
    "ImageLaterality": ("L", "R", "B", "U", "X", ""),
    "PatientSex": ("F", "M", "O", "", "f", "m", "FM", "W", "MALE", "0", "1", ["M", "F"]),
}


@cache
def whole_files() -> dict[str, bytes]:
    """A readable file of each format, by the suffix and a word."""
    hand = fabricate_hand(100, Sex.FEMALE, 3, _SIDE).image
    deep = hand.astype(np.uint16) * 200
    gray = Image.fromarray(hand)
    jpeg, wide = files.encoded(hand, ".jpg"), {"Rows": hand.shape[0], "Columns": hand.shape[1]}
    header = wide | _PATIENT | {"WindowCenter": 128, "WindowWidth": 256}
    plain = files.dicom(hand, **header)
    run_length = dcmread(BytesIO(plain))
    run_length.compress(RLELossless)
    buffer = BytesIO()
    run_length.save_as(buffer)
    return {
        "8bit.png": files.encoded(hand, ".png"),
        "16bit.png": files.encoded(deep, ".png"),
        "palette.png": files.saved(gray.convert("P"), "PNG"),
        "alpha.png": files.saved(gray.convert("LA"), "PNG"),
        "1bit.png": files.saved(gray.convert("1"), "PNG"),
        "plain.jpg": jpeg,
        "colour.jpg": files.saved(gray.convert("RGB"), "JPEG"),
        "progressive.jpg": files.encoded(hand, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        "restarts.jpg": files.encoded(hand, ".jpg", cv2.IMWRITE_JPEG_RST_INTERVAL, 4),
        "plain.dcm": plain,
        "16bit.dcm": files.dicom(deep, PhotometricInterpretation="MONOCHROME1", **header),
        "signed.dcm": files.dicom(deep.astype(np.int16), **header),
        "implicit.dcm": files.dicom(hand, ImplicitVRLittleEndian, **header),
        "deflated.dcm": files.dicom(hand, DeflatedExplicitVRLittleEndian, **header),
        "jpeg.dcm": files.dicom(jpeg, JPEGBaseline8Bit, **header),
        "jpeg2000.dcm": files.dicom(files.saved(gray, "JPEG2000", no_jp2=True), JPEG2000Lossless, **header),
        "rle.dcm": buffer.getvalue(),
        "lossless.dcm": files.recompressed(plain, JPEGLosslessSV1),
        "jpeg-ls.dcm": files.recompressed(plain, JPEGLSLossless),
        "plain.tif": files.saved(gray, "TIFF"),
        "lzw.tif": files.encoded(deep, ".tif"),
    }


def mutated_files(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Files with one to three things wrong: names as ``17-flip-8bit.png`` and contents, the same for a seed."""
    whole = whole_files()
    names = sorted(whole)
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        name = names[number % len(names)]
        data, done = whole[name], []
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            kind = rng.choice(sorted(_for_format(name)))
            data = _for_format(name)[kind](data, rng)
            done.append(kind)
        yield f"{number:05d}-{'-'.join(done)}-{name}", data


def _for_format(name: str) -> dict[str, Mutation]:
    extra = {
        ".png": {"chunk": _chunk, "chunks": _chunk},
        ".dcm": dict.fromkeys(("element", "elements", "header", "headers"), _element),
    }
    return _MUTATIONS | extra.get(name[-4:], {})


def _flip(data: bytes, rng: np.random.Generator) -> bytes:
    out = np.frombuffer(data, np.uint8).copy()
    if out.size:
        places = rng.integers(out.size, size=rng.choice([1, 1, 2, 4, 20]))
        out[places] = rng.integers(256, size=len(places))
    return out.tobytes()


def _flip_head(data: bytes, rng: np.random.Generator) -> bytes:
    return _flip(data[:512], rng) + data[512:]


def _number(data: bytes, rng: np.random.Generator) -> bytes:
    """An extreme number in the head, in either byte order."""
    form = str(rng.choice(["<B", "<H", ">H", "<I", ">I"]))
    limit = 256 ** struct.calcsize(form)
    word = struct.pack(form, int(rng.choice(_EXTREMES)) % limit)
    at = int(rng.integers(max(1, min(len(data), 600))))
    return data[:at] + word + data[at + len(word) :]


def _cut(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: rng.integers(len(data) + 1)]


def _drop(data: bytes, rng: np.random.Generator) -> bytes:
    begin, end = sorted(rng.integers(len(data) + 1, size=2))
    return data[:begin] + data[min(end, begin + 200) :]


def _insert(data: bytes, rng: np.random.Generator) -> bytes:
    at = rng.integers(len(data) + 1)
    return data[:at] + rng.bytes(int(rng.integers(1, 200))) + data[at:]


def _repeat(data: bytes, rng: np.random.Generator) -> bytes:
    begin, end = sorted(rng.integers(len(data) + 1, size=2))
    return data[:end] + data[begin:]


def _splice(data: bytes, rng: np.random.Generator) -> bytes:
    """The head of this file on the tail of another."""
    other = whole_files()[str(rng.choice(sorted(whole_files())))]
    return data[: rng.integers(len(data) + 1)] + other[rng.integers(len(other)) :]


def _chunk(data: bytes, rng: np.random.Generator) -> bytes:
    """Bytes of one chunk of a PNG changed, and its checksum made right again."""
    starts, at = [], 8
    while at + 12 <= len(data):
        starts.append(at)
        at += 12 + struct.unpack_from(">I", data, at)[0]
    if not starts:
        return data
    start = int(rng.choice(starts))
    (length,) = struct.unpack_from(">I", data, start)
    content = data[start + 8 : start + 8 + length]
    content = (_flip if rng.random() < 0.6 else _number)(content, rng)[:length]
    checked = data[start + 4 : start + 8] + content
    check = struct.pack(">I", zlib.crc32(checked))
    return data[:start] + struct.pack(">I", len(content)) + checked + check + data[start + 12 + length :]


def _element(data: bytes, rng: np.random.Generator) -> bytes:
    """One element of a DICOM header changed, or left out, and the file written as if that were right."""
    try:
        dataset = dcmread(BytesIO(data), force=True)
        keyword = str(rng.choice(sorted(_DICOM_VALUES)))
        values = _DICOM_VALUES[keyword]
        choice = int(rng.integers(len(values) + 1))
        if choice < len(values):
            setattr(dataset, keyword, values[choice])
        elif keyword in dataset:
            delattr(dataset, keyword)
        buffer = BytesIO()
        dataset.save_as(buffer)
        return buffer.getvalue()
    except Exception:  # too far gone to be written again
        return _flip(data, rng)


_MUTATIONS: dict[str, Mutation] = {
    "flip": _flip,
    "head": _flip_head,
    "number": _number,
    "cut": _cut,
    "drop": _drop,
    "insert": _insert,
    "repeat": _repeat,
    "splice": _splice,
}
