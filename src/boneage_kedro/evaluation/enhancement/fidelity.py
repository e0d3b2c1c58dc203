"""Whether an enhanced radiograph still shows the same hand: the guard against what a network invents.

Enhancement may change tone and sharpness, and it may take away noise. What that does not explain (`tone_fit`) is a
change of structure, such as a growth plate closed or an ossification centre added.
"""

from typing import Any, NamedTuple

import numpy as np
from typing_extensions import TypedDict

from boneage_kedro.evaluation.enhancement.structure import (
    Surroundings,
    added_structure,
    bone_shares,
    edge_shares,
    strongest,
    structure_term,
    surroundings,
)
from boneage_kedro.evaluation.enhancement.tone_fit import Explained, MaskedBlur, ToneFit, explain, without_rim
from boneage_kedro.limits import NotNegative, Share

_GRAY_STEP = np.float32(1 / 255)
_EXTREME = 0.005


class FidelitySettings(TypedDict):
    """How structure is compared; sizes are shares of the picture's longer side.

    A change is smoothed by ``fine``, for what is thin, such as a growth plate, and by ``broad``, for what is not so
    strong but has an area, such as a carpal. It is told in units of the contrast around it: the standard deviation of
    the explained picture within a Gaussian of ``contrast_window``, to which ``least_contrast`` of that of the whole
    hand and ``noise_weight`` times the mean change in this picture are added in quadrature. ``spot`` is the area of
    the smallest change that counts, as a share of the picture. ``structure_window`` is that of the SSIM, and
    ``steady_contrast`` the share of the hand's contrast below which its structure term says little.
    """

    tone: ToneFit
    fine: Share
    broad: Share
    contrast_window: Share
    least_contrast: Share
    noise_weight: NotNegative
    spot: Share
    structure_window: Share
    steady_contrast: Share


class FidelityLimits(TypedDict):
    """What an enhanced picture must keep to be used instead of the plain one; each is that of `Fidelity`."""

    most_fine_change: NotNegative
    most_broad_change: NotNegative
    least_edges_kept: Share
    most_edges_added: Share
    least_bone_kept: Share
    most_bone_added: NotNegative
    least_structure: Share


class Fidelity(NamedTuple):
    """How far the structure of an original is kept; each is nan where there is no hand.

    Attributes:
        fine_change: strongest local change of structure, in units of the contrast around it, however thin.
        broad_change: the same of changes that have an area.
        added: strongest local change, however thin, that adds to the structure, so that the enhanced picture departs
            more from its surroundings than the original does. It has no limit of its own.
        edges_kept: share of the original's edges that the enhanced picture has in the same direction, 0 to 1.
        edges_added: share of the enhanced picture's edges that the original has not, 0 to 1.
        bone_kept: share of the bone area of the original that is bone in the enhanced picture, 0 to 1.
        bone_added: area that is bone in the enhanced picture only, as a share of the original's bone area.
        structure: mean of the structure term of the SSIM, -1 to 1.
        worst_structure: its half percentile: the worst local value but for single pixels.
    """

    fine_change: float
    broad_change: float
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
    if np.isnan(fidelity.fine_change):
        return ["There is no hand to compare, or the enhanced picture holds values that are no numbers."]
    doubts = {
        f"A thin change of structure has {fidelity.fine_change:.2f} of the contrast around it, "
        f"more than {limits['most_fine_change']:.2f}.": fidelity.fine_change > limits["most_fine_change"],
        f"A broad change of structure has {fidelity.broad_change:.2f} of the contrast around it, "
        f"more than {limits['most_broad_change']:.2f}.": fidelity.broad_change > limits["most_broad_change"],
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
    counted = explained.counted
    around = surroundings(explained.sharpened, counted, settings["contrast_window"])
    fine, broad = (MaskedBlur(counted, settings[name] * max(counted.shape)) for name in ("fine", "broad"))
    fine_change, broad_change = (smooth(explained.residual) * counted for smooth in (fine, broad))
    fine_scale, broad_scale = (
        _contrast_scale(explained, around, change, settings) for change in (fine_change, broad_change)
    )
    added = fine(added_structure(explained.sharpened - around.level, explained.residual)) * counted
    spot_px = max(1, round(settings["spot"] * counted.size))
    window, steady = settings["structure_window"], settings["steady_contrast"]
    similar = structure_term(original, enhanced, counted, window, steady)
    facts = Fidelity(
        strongest((fine_change / fine_scale)[counted], spot_px),
        strongest((broad_change / broad_scale)[counted], spot_px),
        strongest((added / fine_scale)[counted], spot_px),
        *edge_shares(explained, enhanced, fine),
        *bone_shares(explained, around),
        float(similar.mean()),
        float(np.sort(similar)[round(_EXTREME * (similar.size - 1))]),
    )
    return facts, fine_change / fine_scale


def _contrast_scale(
    explained: Explained, around: Surroundings, change: np.ndarray, settings: FidelitySettings
) -> np.ndarray:
    """The unit of change, (H, W) float32: the contrast around, never less than noise and a share of the hand's."""
    hand = settings["least_contrast"] * explained.sharpened[explained.counted].std()
    noise = settings["noise_weight"] * np.abs(change[explained.counted]).mean()
    return np.sqrt(around.contrast**2 + np.float32(hand**2 + noise**2) + _GRAY_STEP**2)
