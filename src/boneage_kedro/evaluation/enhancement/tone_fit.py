"""What of an enhanced picture a change of tone and sharpness explains, and what it does not.

The original is brought as near to the enhanced picture as honest means can: a monotone curve for the whole hand, a
curve that bends smoothly from place to place, and a gain for each band of detail. Whatever is left is structure.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
from typing_extensions import TypedDict

from boneage_kedro.limits import Share

_KNOTS = 257  # of the monotone curve, at even steps of rank
_GRAY_STEP = np.float32(1 / 255)
_POWERS = np.add.outer(np.arange(3), np.arange(3))  # of gray, in the normal equations of a quadratic
_RIDGE = (1e-4, 1e-3, 1e-3)  # draws the local curve to the global one; the weight of one pixel is about 1e-3
_LEAST_SHARE = 1e-3
_NODES_PER_WINDOW = 1.0  # nodes of the small copies in one standard deviation of a window


class ToneFit(TypedDict):
    """How far a change counts as one of tone or sharpness; sizes are shares of the picture's longer side.

    The local curve is quadratic in gray and fitted under a Gaussian of standard deviation ``window``; what is as wide
    as that passes as shading. ``bands`` are the standard deviations between which detail may be raised or lowered, by
    one gain a band for the whole picture. ``rim`` under the skin is left out, since a mask cuts it.
    """

    window: Share
    bands: list[Share]
    rim: Share


class Explained(NamedTuple):
    """The original in the tone of the enhanced picture; all (H, W).

    Attributes:
        toned: float32, the original with the tone of the enhanced picture.
        sharpened: float32, that with its sharpness, too.
        residual: float32, what is brighter (positive) or darker in the enhanced picture than both a straight and a
            bent curve of gray explain, without slow changes; 0 outside ``counted``.
        counted: bool, the hand without its rim.
    """

    toned: np.ndarray
    sharpened: np.ndarray
    residual: np.ndarray
    counted: np.ndarray


def explain(original: np.ndarray, enhanced: np.ndarray, inside: np.ndarray, settings: ToneFit) -> Explained:
    """Bring the original as near to the enhanced picture as tone and sharpness can.

    Args:
        original, enhanced: (H, W) float32, 0 to 1.
        inside: (H, W) bool of the hand, of which something is left without its rim.
        settings: what counts as tone.
    """
    side = max(original.shape)
    counted = without_rim(inside, settings["rim"])
    weight = counted.astype(np.float32)
    matched = through_tone_curve(original, enhanced, counted)
    straight, toned = _curve_locally(matched, enhanced, weight, settings["window"])
    detail = _sharpen_like(toned, enhanced - toned, counted, [share * side for share in settings["bands"]])
    either = np.minimum(straight, toned) + detail, np.maximum(straight, toned) + detail
    residual = np.where(counted, enhanced - np.clip(enhanced, *either), 0)
    slow = local_mean(residual, weight, settings["window"])
    return Explained(toned, toned + detail, np.where(counted, residual - slow, 0), counted)


def without_rim(inside: np.ndarray, rim: float) -> np.ndarray:
    """(H, W) bool: the hand without a rim under the skin, a share of the longer side wide."""
    depth = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 3)
    return depth > rim * max(inside.shape)


def through_tone_curve(picture: np.ndarray, reference: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The picture through the monotone curve that gives it the reference's histogram inside; (H, W) float32."""
    ranks = np.linspace(0, np.count_nonzero(inside) - 1, _KNOTS).round().astype(int)
    gray, place = np.unique(np.sort(picture[inside])[ranks], return_inverse=True)
    wanted = np.bincount(place, np.sort(reference[inside])[ranks]) / np.bincount(place)
    return np.interp(picture, gray, wanted).astype(np.float32)


class MaskedBlur:
    """A Gaussian blur that knows nothing of what lies outside a mask."""

    def __init__(self, inside: np.ndarray, sigma_px: float) -> None:
        self._inside, self._sigma = inside.astype(np.float32), sigma_px
        self._share = np.maximum(cv2.GaussianBlur(self._inside, (0, 0), sigma_px), _LEAST_SHARE)

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """(H, W) float32, meaningful inside."""
        return cv2.GaussianBlur(picture * self._inside, (0, 0), self._sigma) / self._share


def local_mean(picture: np.ndarray, weight: np.ndarray, window: float) -> np.ndarray:
    """Weighted mean under a wide Gaussian, by way of a small copy; (H, W) float32, 0 where nothing weighs."""
    above, below = (_shrink(part, window) for part in (weight * picture, weight))
    return _enlarge(above / np.maximum(below, _LEAST_SHARE), picture.shape)


def _curve_locally(
    picture: np.ndarray, target: np.ndarray, weight: np.ndarray, window: float
) -> tuple[np.ndarray, np.ndarray]:
    """The picture through a line and a quadratic in gray, fitted to the target around each place; (H, W) float32."""
    middle = np.float32(np.average(picture, weights=weight))
    spread = np.sqrt(np.average((picture - middle) ** 2, weights=weight)).astype(np.float32) + _GRAY_STEP
    gray = (picture - middle) / spread
    powers = [weight]
    for _ in range(4):
        powers.append(powers[-1] * gray)
    left = np.stack([_shrink(power, window) for power in powers], -1).astype(np.float64)
    right = np.stack([_shrink(power * (target - picture), window) for power in powers[:3]], -1)
    fits = []
    for terms in (2, 3):
        normal = left[..., _POWERS[:terms, :terms]] + np.diag(_RIDGE[:terms])
        curve = np.linalg.solve(normal, right[..., :terms, None].astype(np.float64))[..., 0]
        planes = _enlarge(curve.astype(np.float32), picture.shape)
        fits.append(picture + sum(planes[..., i] * gray**i for i in range(terms)))
    return fits[0], fits[1]


def _sharpen_like(
    toned: np.ndarray, missing: np.ndarray, counted: np.ndarray, sigmas_px: Sequence[float]
) -> np.ndarray:
    """What the best gain of each band of detail adds, by least squares; (H, W) float32, 0 where nothing counts."""
    steps = [toned, *(MaskedBlur(counted, sigma)(toned) for sigma in sigmas_px)]
    bands = np.stack([(fine - coarse)[counted] for fine, coarse in pairwise(steps)], 1)
    normal = bands.T @ bands + _GRAY_STEP**2 * np.eye(len(sigmas_px), dtype=np.float32)
    added = np.zeros_like(toned)
    added[counted] = bands @ np.linalg.solve(normal, bands.T @ missing[counted])
    return added


def _shrink(picture: np.ndarray, window: float) -> np.ndarray:
    """A copy that is just fine enough for a blur of that share of the longer side, blurred."""
    nodes = [max(1, round(_NODES_PER_WINDOW / window * side / max(picture.shape))) for side in picture.shape]
    small = cv2.resize(picture, nodes[::-1], interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), _NODES_PER_WINDOW)


def _enlarge(small: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return cv2.resize(small, shape[::-1], interpolation=cv2.INTER_LINEAR)
