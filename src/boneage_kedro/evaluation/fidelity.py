"""Whether an enhanced radiograph still shows the same hand: the guard against what a network invents.

Enhancement may change tone and sharpness, and it may take away noise. What that does not explain (`tone_fit`) is a
change of structure, such as a growth plate closed or an ossification centre added.
"""

from typing import Any, NamedTuple

import cv2
import numpy as np
from typing_extensions import TypedDict

from boneage_kedro.evaluation.tone_fit import (
    Explained,
    MaskedBlur,
    ToneFit,
    explain,
    local_mean,
    local_variance,
    match_histogram,
    without_rim,
)
from boneage_kedro.limits import NotNegative, Share

_GRAY_STEP = np.float32(1 / 255)
_CLEARLY = 0.25  # local standard deviations over the local mean from which a pixel counts as bone
_EXTREME_PERCENTILE = 0.5
_TINY = 1e-6


class FidelitySettings(TypedDict):
    """How structure is compared; sizes are shares of the picture's longer side.

    A change is smoothed by ``smoothing`` and told in units of the contrast around it: the standard deviation of the
    explained picture within a Gaussian of ``contrast_window``, to which ``least_contrast`` of that of the whole hand
    and ``noise_weight`` times the mean change in this picture are added in quadrature. ``spot`` is the area of
    the smallest change that counts, as a share of the picture. ``structure_window`` is that of the SSIM.
    """

    tone: ToneFit
    smoothing: Share
    contrast_window: Share
    least_contrast: Share
    noise_weight: NotNegative
    spot: Share
    structure_window: Share


class FidelityLimits(TypedDict):
    """What an enhanced picture must keep to be used instead of the plain one; each is that of `Fidelity`."""

    most_change: NotNegative
    most_added: NotNegative
    least_edges_kept: Share
    most_edges_added: Share
    least_bone_kept: Share
    most_bone_added: NotNegative
    least_structure: Share


class Fidelity(NamedTuple):
    """How far the structure of an original is kept; each is nan where there is no hand.

    Attributes:
        largest_change: strongest local change of structure, in units of the contrast around it.
        added: strongest local change that adds to the structure: the enhanced picture varies more than it should.
        edges_kept: share of the original's edges that the enhanced picture has in the same direction, 0 to 1.
        edges_added: share of the enhanced picture's edges that the original has not, 0 to 1.
        bone_kept: share of the bone area of the original that is bone in the enhanced picture, 0 to 1.
        bone_added: area that is bone in the enhanced picture only, as a share of the original's bone area.
        structure: mean of the structure term of the SSIM, -1 to 1.
        worst_structure: its half percentile: the worst local value but for single pixels.
    """

    largest_change: float
    added: float
    edges_kept: float
    edges_added: float
    bone_kept: float
    bone_added: float
    structure: float
    worst_structure: float


class Guarded(NamedTuple):
    """The picture to go on with.

    Attributes:
        picture: (H, W) float32, the enhanced picture, or the plain one where there are reasons.
        fidelity: of the enhanced picture.
        reasons: not to use it; none where it is used.
    """

    picture: np.ndarray
    fidelity: Fidelity
    reasons: list[str]


def measure_fidelity(
    original: np.ndarray, enhanced: np.ndarray, inside: np.ndarray, settings: FidelitySettings
) -> Fidelity:
    """How far an enhanced picture keeps the structure of its original.

    Args:
        original, enhanced: (H, W) float32, 0 to 1, bone bright.
        inside: (H, W) bool of the hand; nothing else counts.
        settings: how it is compared.

    Raises:
        ValueError: shapes differ.
    """
    _check(original, enhanced, inside)
    if not _comparable(enhanced, inside, settings):
        return Fidelity(*[np.nan] * len(Fidelity._fields))
    return _measure(original, enhanced, inside, settings)[0]


def structure_change(
    original: np.ndarray, enhanced: np.ndarray, inside: np.ndarray, settings: FidelitySettings
) -> np.ndarray:
    """Where the structure changed: (H, W) float32 in units of the contrast around, positive where it got brighter.

    Args and errors are those of `measure_fidelity`; 0 everywhere where there is no hand.
    """
    _check(original, enhanced, inside)
    if not _comparable(enhanced, inside, settings):
        return np.zeros(original.shape, np.float32)
    return _measure(original, enhanced, inside, settings)[1]


def judge(fidelity: Fidelity, limits: FidelityLimits) -> list[str]:
    """Reasons not to use an enhanced picture, a sentence each; none for a true one. Nan is no good."""
    if np.isnan(fidelity.largest_change):
        return ["There is no hand to compare, or the enhanced picture holds values that are no numbers."]
    doubts = {
        f"A change of structure is {fidelity.largest_change:.2f} times as strong as the contrast around it, "
        f"more than {limits['most_change']:g}.": fidelity.largest_change > limits["most_change"],
        f"Structure was added, {fidelity.added:.2f} times as strong as the contrast around it, "
        f"more than {limits['most_added']:g}.": fidelity.added > limits["most_added"],
        f"{fidelity.edges_kept:.1%} of the edges were kept, less than {limits['least_edges_kept']:.0%}.": (
            fidelity.edges_kept < limits["least_edges_kept"]
        ),
        f"{fidelity.edges_added:.1%} of the edges are new, more than {limits['most_edges_added']:.0%}.": (
            fidelity.edges_added > limits["most_edges_added"]
        ),
        f"{fidelity.bone_kept:.1%} of the bone area was kept, less than {limits['least_bone_kept']:.0%}.": (
            fidelity.bone_kept < limits["least_bone_kept"]
        ),
        f"The bone area grew by {fidelity.bone_added:.1%}, more than {limits['most_bone_added']:.0%}.": (
            fidelity.bone_added > limits["most_bone_added"]
        ),
        f"The structure agrees to {fidelity.structure:.3f}, less than {limits['least_structure']:g}.": (
            fidelity.structure < limits["least_structure"]
        ),
    }
    return [sentence for sentence, holds in doubts.items() if holds]


def guarded(
    original: np.ndarray,
    plain: np.ndarray,
    enhanced: np.ndarray,
    inside: np.ndarray,
    settings: FidelitySettings,
    limits: FidelityLimits,
) -> Guarded:
    """The enhanced picture if it shows the same hand as the original, else the plain one.

    Args:
        original, enhanced, inside, settings: as for `measure_fidelity`.
        plain: (H, W) float32, the original after a change of tone that invents nothing.
        limits: what the enhanced picture must keep.
    """
    fidelity = measure_fidelity(original, enhanced, inside, settings)
    reasons = judge(fidelity, limits)
    return Guarded(plain if reasons else enhanced, fidelity, reasons)


def fidelity_row(key: str, fidelity: Fidelity, limits: FidelityLimits) -> dict[str, Any]:
    """A row of the table of fidelity: ``id``, those of `Fidelity`, ``used``, and ``reason``, empty where used."""
    reasons = judge(fidelity, limits)
    return {"id": key, **fidelity._asdict(), "used": not reasons, "reason": " ".join(reasons)}


def _check(original: np.ndarray, enhanced: np.ndarray, inside: np.ndarray) -> None:
    if not original.shape == enhanced.shape == inside.shape:
        raise ValueError(
            f"the original is {original.shape}, the enhanced picture {enhanced.shape} and the hand {inside.shape}; "
            "bring them into one frame"
        )


def _comparable(enhanced: np.ndarray, inside: np.ndarray, settings: FidelitySettings) -> bool:
    counted = without_rim(inside, settings["tone"]["rim"])
    return bool(counted.any() and np.isfinite(enhanced[inside]).all())


def _measure(
    original: np.ndarray, enhanced: np.ndarray, inside: np.ndarray, settings: FidelitySettings
) -> tuple[Fidelity, np.ndarray]:
    """The facts and the map of change."""
    explained = explain(original, enhanced, inside, settings["tone"])
    change, scale = _relative_change(explained, settings)
    spot_px = max(1, round(settings["spot"] * change.size))
    similar = _structure_term(original, enhanced, explained, settings)
    facts = Fidelity(
        _strongest(change, spot_px),
        _strongest(_added(explained, scale, settings), spot_px),
        *_edges(explained, enhanced, settings),
        *_bone(explained, enhanced, settings),
        float(similar.mean()),
        float(np.percentile(similar, _EXTREME_PERCENTILE)),
    )
    return facts, change


def _relative_change(explained: Explained, settings: FidelitySettings) -> tuple[np.ndarray, np.ndarray]:
    """The change of structure in units of the contrast around it, and that contrast; both (H, W) float32."""
    counted = explained.counted
    smooth = MaskedBlur(counted, settings["smoothing"] * max(counted.shape))
    change = smooth(explained.residual) * counted
    contrast = local_variance(explained.sharpened, counted.astype(np.float32), settings["contrast_window"])
    least = settings["least_contrast"] * np.std(explained.sharpened[counted])
    noise = settings["noise_weight"] * np.abs(change[counted]).mean()
    scale = np.sqrt(contrast + np.float32(least**2 + noise**2) + _GRAY_STEP**2)
    return change / scale, scale


def _added(explained: Explained, scale: np.ndarray, settings: FidelitySettings) -> np.ndarray:
    """By how much more the enhanced picture departs from its surroundings than the original; (H, W), 0 or more."""
    counted = explained.counted
    smooth = MaskedBlur(counted, settings["smoothing"] * max(counted.shape))
    around = local_mean(explained.sharpened, counted.astype(np.float32), settings["contrast_window"])
    departs = explained.sharpened - around
    excess = np.abs(departs + explained.residual) - np.abs(departs)
    return np.maximum(smooth(excess) * counted / scale, 0)


def _strongest(change: np.ndarray, spot_px: int) -> float:
    """Mean of so many of the strongest values, so that no single pixel decides."""
    return float(np.partition(np.abs(change), change.size - spot_px, axis=None)[-spot_px:].mean())


def _edges(explained: Explained, enhanced: np.ndarray, settings: FidelitySettings) -> tuple[float, float]:
    """Shares of the original's edges that are kept, and of the enhanced picture's that are new.

    Kept are edges of the original in the tone of the enhanced picture, so that a blur loses some; new are those that
    neither tone nor sharpness gives.
    """
    counted = explained.counted
    smooth = MaskedBlur(counted, settings["smoothing"] * max(counted.shape))
    toned, sharpened, seen = (
        _gradient(smooth(part), counted) for part in (explained.toned, explained.sharpened, enhanced)
    )
    length = np.hypot(*toned) + _TINY
    kept = np.clip((toned[0] * seen[0] + toned[1] * seen[1]) / length, 0, length)
    new = np.maximum(np.hypot(*seen) - np.hypot(*sharpened), 0)
    return float(kept.sum() / length.sum()), float(new.sum() / (np.hypot(*seen).sum() + _TINY))


def _gradient(picture: np.ndarray, counted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Central differences along x and y of the counted pixels that have counted neighbours; (N,) float32 each."""
    inner = cv2.erode(counted.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    x, y = (cv2.Sobel(picture, cv2.CV_32F, *order, ksize=1) for order in ((1, 0), (0, 1)))
    return x[inner], y[inner]


def _bone(explained: Explained, enhanced: np.ndarray, settings: FidelitySettings) -> tuple[float, float]:
    """Shares of the bone area kept and added; bone is what is clearly brighter than its surroundings."""
    weight = explained.counted.astype(np.float32)
    around = local_mean(explained.sharpened, weight, settings["contrast_window"])
    spread = np.sqrt(local_variance(explained.sharpened, weight, settings["contrast_window"]))
    threshold = around + np.float32(_CLEARLY) * spread + _GRAY_STEP
    before = explained.counted & (explained.sharpened > threshold)
    after = explained.counted & (explained.sharpened + explained.residual > threshold)
    area = max(1, np.count_nonzero(before))
    return np.count_nonzero(before & after) / area, np.count_nonzero(after & ~before) / area


def _structure_term(
    original: np.ndarray, enhanced: np.ndarray, explained: Explained, settings: FidelitySettings
) -> np.ndarray:
    """Structure term of the SSIM for each counted pixel, (N,): local correlation, stabilised by the noise.

    Wang Z, Bovik AC, Sheikh HR, Simoncelli EP, IEEE Trans Image Process 2004;13:600-612, equation 10.
    """
    counted = explained.counted
    mean = MaskedBlur(counted, settings["structure_window"] * max(counted.shape))
    matched = match_histogram(original, enhanced, counted)
    x, y = (part - part[counted].mean() for part in (matched, enhanced))
    variances = [np.maximum(mean(part * part) - mean(part) ** 2, 0)[counted] for part in (x, y)]
    covariance = (mean(x * y) - mean(x) * mean(y))[counted]
    steady = np.float32((settings["least_contrast"] * 0.1) ** 2 * x[counted].var()) + _GRAY_STEP**2
    return (covariance + steady) / (np.sqrt(variances[0] * variances[1]) + steady)
