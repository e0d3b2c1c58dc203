"""The curve that turns one exposure of a film into another, and one tone for all hands by means of it."""

from collections.abc import Callable

import numpy as np
from typing_extensions import TypedDict

from boneage_kedro.limits import Positive, Share

_FOG = 0.05  # no film is quite black or clear: what was clipped takes part in the curve with a gray this far inside
_LEVELS = 256  # of the histogram on which the curve is sought
_STEPS = 14  # halvings of a bracket: mean and contrast come within 0.001, a quarter of a gray level
_MOST_SHIFT = 8.0  # of the logit; beyond it a film is black or clear
_GRADIENTS = (0.2, 5.0)  # steeper and flatter curves would show noise or nothing


class StandardTone(TypedDict):
    """The tone of the gold standard: mean and standard deviation of the gray values in the hand, of 0 to 1."""

    mean: Share
    contrast: Positive


def check_picture(image: np.ndarray, inside: np.ndarray) -> None:
    """Refuse what is no picture with a mask of its own size.

    Raises:
        TypeError: the picture is not (H, W) float32, or the mask is not bool.
        ValueError: they differ in size, or gray values are not within 0 to 1.
    """
    if image.ndim != 2 or image.dtype != np.float32 or inside.dtype != np.bool_:
        raise TypeError(
            f"a picture is (H, W) float32 and its mask bool, not {image.shape} {image.dtype} and {inside.dtype}"
        )
    if inside.shape != image.shape:
        raise ValueError(f"the mask is {inside.shape}, but its picture is {image.shape}")
    if not (image.min() >= 0 and image.max() <= 1):  # NaN is neither
        raise ValueError(
            f"the picture holds gray values {image.min():g} to {image.max():g}; scale them to 0 to 1"
        )


def film_curve(image: np.ndarray, gradient: float, exposure: float) -> np.ndarray:
    """The picture as another film, or another dose, would have shown it.

    The density of a film is close to a logistic function of the logarithm of its exposure (the characteristic curve
    of Hurter and Driffield, 1890), so another dose shifts the logit of the brightness, and another film scales it.

    Args:
        image: floating point, 0 to 1, bone bright.
        gradient: of the new film, as a multiple of that of the old one; above 1 is an S-shaped curve.
        exposure: natural logarithm of the change of the dose; higher is darker.

    Returns:
        the same shape and type; 0 stays 0, 1 stays 1, and the order of gray values stays.
    """
    clear = image**gradient
    dense = (np.exp(image.dtype.type(exposure)) * (1 - image)) ** gradient
    return clear / (clear + dense)


def to_standard_tone(image: np.ndarray, inside: np.ndarray, mean: float, contrast: float) -> np.ndarray:
    """Bring the hand to one mean and contrast, which makes the gold standard.

    The curve is `film_curve`, after the gray values were drawn in by a twentieth at either end, so that pictures with
    burnt-out parts come to the same tone as others. For each gradient one exposure gives the mean, and the contrast
    rises with the gradient, so both are found by halving. The order of gray values stays, and nothing is clipped.

    Args:
        image: (H, W) float32, 0 to 1.
        inside: (H, W) bool, the hand.
        mean, contrast: wanted mean and standard deviation in the hand. Where no curve of a gradient of 0.2 to 5 gives
            the contrast, the nearest does, and the mean is kept.

    Returns:
        (H, W) float32, 0 to 1 and 0 outside the hand.

    Raises:
        TypeError, ValueError: as `check_picture`.
    """
    check_picture(image, inside)
    if not inside.any():
        return np.zeros_like(image)
    film = np.float32(_FOG) + np.float32(1 - 2 * _FOG) * image
    gradient, exposure = _find_curve(film[inside], mean, contrast)
    return np.where(inside, film_curve(film, gradient, exposure), np.float32(0))


def _find_curve(hand: np.ndarray, mean: float, contrast: float) -> tuple[float, float]:
    """Gradient and exposure of the curve that gives the gray values (n,) of a hand this mean and contrast."""
    bins = (hand * (_LEVELS - 1)).round().astype(np.intp)
    counts, sums = np.bincount(bins), np.bincount(bins, hand)
    present = counts > 0
    levels, shares = sums[present] / counts[present], counts[present] / hand.size

    def exposure_at(gradient: float) -> float:
        def too_bright(exposure: float) -> bool:
            return bool(shares @ film_curve(levels, gradient, exposure) > mean)

        return _halve(too_bright, -_MOST_SHIFT / gradient, _MOST_SHIFT / gradient)

    def too_flat(gradient: float) -> bool:
        seen = film_curve(levels, gradient, exposure_at(gradient))
        return bool(shares @ (seen - shares @ seen) ** 2 < contrast**2)

    gradient = _halve(too_flat, *_GRADIENTS)
    return gradient, exposure_at(gradient)


def _halve(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Where a condition that holds from ``low`` on ceases to."""
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return (low + high) / 2
