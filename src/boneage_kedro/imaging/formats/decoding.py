"""What all pixel formats share: limits on the size, the call to OpenCV, and the way to gray.

Functions here and in the format modules raise `UnreadableRadiograph` with the reason alone; the name of the
file is put before it by `boneage_kedro.imaging.reading`.
"""

import cv2
import numpy as np

from boneage_kedro.imaging.radiograph import UnreadableRadiograph

MAX_PIXELS = 100_000_000  # film of 35 x 43 cm digitised at 50 um has 60 million
MIN_SIDE_PX = 16

# OpenCV logs what its decoders stumble over to stderr, without the name of the file; here it is raised.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def check_size(rows: int, columns: int) -> None:
    """Refuse a picture by the size its header states, before any memory is taken for it.

    Raises:
        UnreadableRadiograph: more than `MAX_PIXELS` pixels, or a side shorter than `MIN_SIDE_PX`.
    """
    if min(rows, columns) < MIN_SIDE_PX:
        raise UnreadableRadiograph(
            f"its header states {columns} x {rows} pixels, too few for a radiograph; export the picture again"
        )
    if rows * columns > MAX_PIXELS:
        raise UnreadableRadiograph(
            f"its header states {columns} x {rows} pixels, more than the limit of {MAX_PIXELS:,}; "
            "scale the picture down, or export it again if the size is wrong"
        )


def decode(data: bytes, flags: int) -> np.ndarray:
    """Decode a PNG, JPEG or TIFF file held in memory, with flags of ``cv2.imdecode``.

    Raises:
        UnreadableRadiograph: the decoder gives up.
    """
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise UnreadableRadiograph(f"its pixels cannot be decoded ({error.err}); {REPAIR}") from error
    if pixels is None:
        raise UnreadableRadiograph(f"its pixels are damaged or of a kind that cannot be decoded; {REPAIR}")
    return pixels


REPAIR = "copy the file again from its source, or export it as 8 or 16-bit gray PNG"


def to_gray(pixels: np.ndarray) -> np.ndarray:
    """Turn what OpenCV decoded, gray, BGR or BGRA, into one gray channel of uint8, uint16 or float32.

    Transparent pixels become black, as outside the picture.

    Raises:
        UnreadableRadiograph: a float picture holds NaN or infinity.
    """
    if pixels.dtype not in (np.uint8, np.uint16):
        pixels = pixels.astype(np.float32, copy=False)
        if not np.isfinite(pixels).all():
            raise UnreadableRadiograph("some of its pixels are NaN or infinite; export it as 16-bit integers")
    if pixels.ndim == 2:
        return pixels
    gray = cv2.cvtColor(pixels[..., :3], cv2.COLOR_BGR2GRAY)
    return gray if pixels.shape[2] == 3 else _on_black(gray, pixels[..., 3])


def _on_black(gray: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    opaque = 1.0 if gray.dtype == np.float32 else np.iinfo(gray.dtype).max
    if (alpha == opaque).all():
        return gray
    return np.rint(gray * (alpha / opaque)).astype(gray.dtype)
