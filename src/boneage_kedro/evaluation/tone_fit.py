"""What of an enhanced picture a change of tone and sharpness explains, and what it does not.

The original is brought as near to the enhanced picture as honest means can: a monotone curve for the whole hand, a
curve that bends smoothly from place to place, and a gain for each band of detail. Whatever is left is structure.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from typing_extensions import TypedDict

from boneage_kedro.limits import Count, NotNegative, Positive, Share

_KNOTS = 257  # of the monotone curve, at even steps of rank
_GRAY_STEP = np.float32(1 / 255)
_POWERS = np.add.outer(np.arange(3), np.arange(3))  # of gray, in the normal equations of a quadratic
_RIDGE = (1e-4, 1e-3, 1e-3)  # draws the local curve to the global one; the weight of one pixel is about 1e-3
_MAD = 1.48  # from the median absolute deviation to the standard deviation of a normal distribution
_LEAST_SHARE = 1e-3
_NODES_PER_WINDOW = 1.0  # nodes of the small copies in one standard deviation of a window


class ToneFit(TypedDict):
    """How far a change counts as one of tone or sharpness; sizes are shares of the picture's longer side.

    The local curve is quadratic in gray and fitted under a Gaussian of standard deviation ``window``; what is as wide
    as that passes as shading. ``bands`` are the standard deviations between which detail may be raised or lowered, by
    one gain a band for the whole picture. ``rim`` under the skin is left out, since a mask cuts it. Pixels that stand
    out by ``outlier`` standard deviations count half in each of the ``passes`` but the first.
    """

    window: Share
    bands: list[Share]
    rim: Share
    outlier: Positive
    passes: Count


class Explained(NamedTuple):
    """The original in the tone of the enhanced picture; all (H, W).

    Attributes:
        toned: float32, the original with the tone of the enhanced picture.
        sharpened: float32, that with its sharpness, too.
        residual: float32, enhanced less `sharpened`, without slow changes; 0 outside ``counted``.
        counted: bool, the hand without its rim.
        weight: float32, 0 to 1, low where the fit took a pixel for an outlier; 0 outside ``counted``.
    """

    toned: np.ndarray
    sharpened: np.ndarray
    residual: np.ndarray
    counted: np.ndarray
    weight: np.ndarray


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
    matched = match_histogram(original, enhanced, counted)
    blurs = [MaskedBlur(inside, share * side) for share in settings["bands"]]
    for _ in range(settings["passes"]):
        toned = _bend_locally(matched, enhanced, weight, settings["window"])
        sharpened = toned + _sharpen_like(toned, enhanced - toned, weight, blurs)
        residual = np.where(counted, enhanced - sharpened, 0)
        usual = _MAD * np.median(np.abs(residual[counted])) + _GRAY_STEP / 4
        weight = counted / (1 + (residual / np.float32(settings["outlier"] * usual)) ** 2)
    slow = local_mean(residual, weight, settings["window"])
    return Explained(toned, sharpened, np.where(counted, residual - slow, 0), counted, weight)


def without_rim(inside: np.ndarray, rim: float) -> np.ndarray:
    """(H, W) bool: the hand without a rim under the skin, a share of the longer side wide."""
    depth = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 3)
    return depth > rim * max(inside.shape)


def match_histogram(picture: np.ndarray, reference: np.ndarray, inside: np.ndarray) -> np.ndarray:
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


def local_variance(picture: np.ndarray, weight: np.ndarray, window: float) -> np.ndarray:
    """Weighted variance under a wide Gaussian; (H, W) float32."""
    centred = picture - np.float32(np.average(picture, weights=weight))  # keeps the digits that the squares need
    return np.maximum(
        local_mean(centred**2, weight, window) - local_mean(centred, weight, window) ** 2, 0
    )


def _bend_locally(picture: np.ndarray, target: np.ndarray, weight: np.ndarray, window: float) -> np.ndarray:
    """The picture through a quadratic in gray that is fitted to the target around each place; (H, W) float32."""
    middle = np.float32(np.average(picture, weights=weight))
    spread = np.sqrt(np.average((picture - middle) ** 2, weights=weight)).astype(np.float32) + _GRAY_STEP
    gray = (picture - middle) / spread
    powers = [weight]
    for _ in range(4):
        powers.append(powers[-1] * gray)
    left = np.stack([_shrink(power, window) for power in powers], -1).astype(np.float64)
    right = np.stack([_shrink(power * (target - picture), window) for power in powers[:3]], -1)
    curves = np.linalg.solve(left[..., _POWERS] + np.diag(_RIDGE), right[..., None].astype(np.float64))
    offset, slope, bend = cv2.split(_enlarge(curves[..., 0].astype(np.float32), picture.shape))
    return picture + offset + gray * (slope + gray * bend)


def _sharpen_like(
    toned: np.ndarray, missing: np.ndarray, weight: np.ndarray, blurs: Sequence[MaskedBlur]
) -> np.ndarray:
    """What the best gain of each band of detail adds, by weighted least squares; (H, W) float32, 0 without weight."""
    steps = [toned, *(blur(toned) for blur in blurs)]
    counted = weight > 0
    bands = np.stack([(fine - coarse)[counted] for fine, coarse in zip(steps, steps[1:], strict=False)], 1)
    weighted = bands * weight[counted][:, None]
    normal = weighted.T @ bands + _GRAY_STEP**2 * np.eye(len(blurs), dtype=np.float32)
    added = np.zeros_like(toned)
    added[counted] = bands @ np.linalg.solve(normal, weighted.T @ missing[counted])
    return added


def _shrink(picture: np.ndarray, window: float) -> np.ndarray:
    """A copy that is just fine enough for a blur of that share of the longer side, blurred."""
    nodes = [max(1, round(_NODES_PER_WINDOW / window * side / max(picture.shape))) for side in picture.shape]
    small = cv2.resize(picture, nodes[::-1], interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), _NODES_PER_WINDOW)


def _enlarge(small: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return cv2.resize(small, shape[::-1], interpolation=cv2.INTER_LINEAR)
