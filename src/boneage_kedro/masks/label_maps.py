"""Label masks: read and checked, brought onto the canvas and back, and gathered for the pictures of a store.

A mask holds the code of a class in each pixel, 0 is background. Labels cannot be interpolated, but the share of a
pixel that each class covers can: every map here goes by the shares, and the class with the largest one wins.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from boneage_kedro.imaging.formats import png
from boneage_kedro.imaging.geometry import to_source
from boneage_kedro.imaging.radiograph import UnreadableRadiograph

_WHITE = 255
_SAME_SCALE = 1e-3  # scales this near to 1 count as 1: boxes are rounded to whole pixels
_STAIRS_SIGMA_PX = 0.6  # phantoms enlarged 1.25 to 4 times come nearest to the truth with it, among 0 to 1


class UnusableMask(ValueError):
    """A file that holds no mask of its radiograph; the message names the file, the reason and what to do."""


def read_mask(
    content: bytes, name: str, classes: int, source_shape: tuple[int, int] | None, binary: bool
) -> np.ndarray:
    """Read a gray PNG of class codes.

    Args:
        content: of the file.
        name: what error messages call the mask.
        classes: how many there are, background included.
        source_shape: (rows, columns) of its radiograph; None takes a mask of any size.
        binary: take all classes as one; then a file of black and white alone, 0 and 255, will do as well.

    Returns:
        (rows, columns) uint8, codes 0 to ``classes - 1``, or 0 and 1.

    Raises:
        UnusableMask: it is no PNG, or damaged, coloured, of another size than its radiograph, of one class alone,
            or holds codes of no class.
    """
    try:
        mask = _decode(content, binary)
        check_mask(mask, classes, source_shape)
    except (UnusableMask, UnreadableRadiograph) as error:
        raise UnusableMask(f"{name}: {error}") from error
    return (mask > 0 if binary else mask).astype(np.uint8)


def check_mask(mask: np.ndarray, classes: int, source_shape: tuple[int, int] | None) -> None:
    """Refuse what cannot be the mask of a radiograph; arguments as in `read_mask`.

    Raises:
        UnusableMask: another size than the radiograph, codes of no class, or one class alone; the reason only.
    """
    if source_shape is not None and mask.shape != source_shape:
        raise UnusableMask(
            f"is {mask.shape[1]} x {mask.shape[0]} pixels, but its radiograph is {source_shape[1]} x "
            f"{source_shape[0]}; draw it on the radiograph's own pixels"
        )
    codes = np.unique(mask).tolist()
    unknown = [code for code in codes if code >= classes]
    if unknown:
        raise UnusableMask(
            f"holds the codes {unknown[:8]}, but there are {classes} classes, 0 to {classes - 1}; correct the mask "
            "or the number of classes"
        )
    if codes == [0]:
        raise UnusableMask("is empty, all of it is background; draw the mask or remove the file")
    if len(codes) == 1:
        raise UnusableMask(f"is of one class, code {codes[0]} everywhere; draw the background too")


def mask_to_canvas(mask: np.ndarray, transform: np.ndarray, canvas_px: int) -> np.ndarray:
    """Bring a mask from the frame of its radiograph onto the canvas.

    Args:
        mask: (rows, columns) uint8.
        transform: (2, 3) map of source to canvas points, from `Prepared.transform`.
        canvas_px: side of the canvas, however much smaller than the source.

    Returns:
        (canvas_px, canvas_px) uint8: the class with the largest part of each pixel. What the source does not show
        is background.
    """
    return _warp_labels(mask, transform, (canvas_px, canvas_px))


def foreground_share(mask: np.ndarray, transform: np.ndarray, canvas_px: int) -> np.ndarray:
    """The part of each canvas pixel that is no background, (canvas_px, canvas_px) float32; see `mask_to_canvas`."""
    return _share(mask != 0, np.asarray(transform, np.float64), (canvas_px, canvas_px))


def probabilities_to_source(
    probabilities: np.ndarray, transform: np.ndarray, source_shape: tuple[int, int]
) -> np.ndarray:
    """Bring a network's answer from the canvas into the frame of its radiograph, as a mask.

    Probabilities are enlarged and compared then, so that outlines stay smooth.

    Args:
        probabilities: (K, canvas_px, canvas_px) floating point, summing to 1 over the classes.
        transform: (2, 3) map of source to canvas points, from `Prepared.transform`.
        source_shape: (rows, columns) of the radiograph.

    Returns:
        (rows, columns) uint8; what the canvas does not show is background.
    """
    largest = np.full(source_shape, -1, probabilities.dtype)
    total = np.zeros(source_shape, probabilities.dtype)
    mask = np.zeros(source_shape, np.uint8)
    # one at a time: radiographs have tens of millions of pixels
    for code, share in enumerate(probabilities[1:], 1):
        enlarged = to_source(share, transform, source_shape)
        mask[enlarged > largest] = code
        np.maximum(largest, enlarged, out=largest)
        total += enlarged
    mask[1 - total >= largest] = 0  # what the classes leave is background
    return mask


def largest_share(codes: Sequence[int], shares: Sequence[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """The class with the largest part of each pixel.

    Args:
        codes: of the classes, without background.
        shares: ``shape`` float, the part of each pixel that a class covers; what they leave is background, which
            wins a tie.

    Returns:
        ``shape`` uint8.
    """
    background = 1 - sum(shares, np.zeros(shape, np.float32))
    return np.array([0, *codes], np.uint8)[np.argmax([background, *shares], axis=0)]


def _decode(content: bytes, binary: bool) -> np.ndarray:
    if not content.startswith(png.MAGIC):
        raise UnusableMask("is not a PNG file; save masks without loss, as 8-bit gray PNG")
    pixels = png.decode_png(content)
    if not png.is_gray(content):
        raise UnusableMask("is in colour; save the codes of the classes as 8-bit gray PNG")
    black_and_white = binary and set(np.unique(pixels)) <= {0, _WHITE}
    return (pixels == _WHITE).astype(np.uint8) if black_and_white else pixels


def _warp_labels(mask: np.ndarray, transform: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Map labels by a (2, 3) transform of points to (rows, columns) ``shape``; what lies outside is background."""
    codes = [code for code in np.unique(mask) if code]
    shares = [_share(mask == code, np.asarray(transform, np.float64), shape) for code in codes]
    return largest_share(codes, shares, shape)


def _share(inside: np.ndarray, transform: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The part of each pixel that lies inside, float32 about 0 to 1.

    Where the mask gets smaller, samples lie between the pixel centres, as many a side as keep their steps within one
    pixel of the mask, and their mean counts. Where it gets larger, the stairs of its outline are smoothed first.
    """
    scale = float(np.sqrt(abs(np.linalg.det(transform[:, :2]))))
    drawn: np.ndarray = inside.astype(np.float32)
    interpolation = cv2.INTER_LINEAR
    if scale > 1 + _SAME_SCALE:
        drawn, interpolation = cv2.GaussianBlur(drawn, (0, 0), _STAIRS_SIGMA_PX), cv2.INTER_CUBIC
    samples = max(1, int(np.ceil(1 / scale - _SAME_SCALE)))
    fine = samples * transform
    fine[:, 2] += (samples - 1) / 2  # edges of pixels coincide, not their centres
    rows, columns = samples * shape[0], samples * shape[1]
    drawn = cv2.warpAffine(drawn, fine, (columns, rows), flags=interpolation)
    return cv2.resize(drawn, shape[::-1], interpolation=cv2.INTER_AREA) if samples > 1 else drawn
