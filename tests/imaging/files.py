"""Small files in every format, written here so that the tests know what is in them."""

import struct
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import gdcm
import numpy as np
from PIL import Image
from pydicom import Dataset, FileMetaDataset, dcmwrite
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

ROWS, COLUMNS = 20, 28


def picture(dtype: type = np.uint8, top: float = 255) -> np.ndarray:
    """Smooth, with a different value in each corner, so that no turn or transposition goes unseen."""
    y, x = np.mgrid[:ROWS, :COLUMNS] / np.array([ROWS - 1, COLUMNS - 1]).reshape(2, 1, 1)
    return np.rint((0.7 * x + 0.3 * y**2) * top).astype(dtype)


def encoded(pixels: np.ndarray, suffix: str, *options: int) -> bytes:
    return cv2.imencode(suffix, pixels, options)[1].tobytes()


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def tiff(pixels: np.ndarray, photometric: int = 1, order: str = "<", bits: int | None = None) -> bytes:
    """One uncompressed strip, directory last; ``bits`` says how ``pixels`` are packed when they already are."""
    content = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    sample_format = {"u": 1, "i": 2, "f": 3}[pixels.dtype.kind]
    shorts = {258: bits or pixels.dtype.itemsize * 8, 259: 1, 262: photometric, 277: 1, 339: sample_format}
    longs = {256: COLUMNS, 257: ROWS, 273: 8, 278: ROWS, 279: len(content)}
    fields = {tag: (3, struct.pack(order + "HH", value, 0)) for tag, value in shorts.items()}
    fields |= {tag: (4, struct.pack(order + "I", value)) for tag, value in longs.items()}
    entries = b"".join(
        struct.pack(order + "HHI", tag, fields[tag][0], 1) + fields[tag][1] for tag in sorted(fields)
    )
    magic = {"<": b"II*\0", ">": b"MM\0*"}[order]
    head = magic + struct.pack(order + "I", 8 + len(content))
    return head + content + struct.pack(order + "H", len(fields)) + entries + bytes(4)


def dicom(stored: np.ndarray | bytes, syntax: UID = ExplicitVRLittleEndian, **header: object) -> bytes:
    """A digital radiograph; ``bytes`` are a compressed frame. Keywords set or, when None, remove an element."""
    compressed = isinstance(stored, bytes)
    dtype = np.dtype(np.uint8) if compressed else stored.dtype
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = UID("1.2.840.10008.5.1.4.1.1.1.1"), generate_uid()
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = ROWS, COLUMNS, 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = dtype.itemsize * 8
    dataset.PixelRepresentation = int(dtype.kind == "i")
    dataset.add_new("PixelData", "OW" if dtype.itemsize == 2 else "OB", b"")
    dataset.PixelData = encapsulate([stored]) if compressed else stored.tobytes()
    dataset["PixelData"].is_undefined_length = compressed
    for keyword, value in header.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    dataset.HighBit = dataset.BitsStored - 1
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    buffer = BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def recompressed(data: bytes, syntax: UID) -> bytes:
    """A DICOM file in one of the encodings that only GDCM writes."""
    with TemporaryDirectory() as folder:
        plain, compressed = Path(folder) / "plain.dcm", Path(folder) / "compressed.dcm"
        plain.write_bytes(data)
        reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
        reader.SetFileName(str(plain))
        assert reader.Read()
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        writer.SetFileName(str(compressed))
        assert writer.Write()
        return compressed.read_bytes()
