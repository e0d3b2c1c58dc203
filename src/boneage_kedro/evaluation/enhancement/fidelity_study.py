"""What the guard of `fidelity` sees: its limits set on honest enhancement, its detection of planted inventions."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from typing_extensions import TypedDict

from boneage_kedro.evaluation.enhancement.cut_phantom import cut_phantom
from boneage_kedro.evaluation.enhancement.fidelity import (
    Fidelity,
    FidelityLimits,
    FidelitySettings,
    judge,
    measure_fidelity,
)
from boneage_kedro.evaluation.enhancement.honest_changes import HONEST, enhance_honestly
from boneage_kedro.imaging.contrast.enhancement import Enhancement
from boneage_kedro.limits import Count, NotNegative, PixelSide, Positive, Share
from boneage_kedro.phantom import Phantom
from boneage_kedro.phantom.inventions import (
    Invention,
    add_carpal,
    erase_carpal,
    erase_growth_plates,
    shift_bone,
)

Lie = Callable[[np.ndarray, Phantom, np.random.Generator], Invention]


class FidelityStudy(TypedDict):
    """What is planted, and what counts as seen.

    Phantoms are cut to the hand with ``margin`` of its longer side around and brought to ``input_px``. Growth plates
    are erased in the given numbers, carpals added in the given sizes (parts of full width), bones shifted by the
    given shares of the picture's side. A lie is visible where at least ``visible_spot`` of the picture changes by
    ``visible_contrast`` standard deviations of the hand's gray.
    """

    input_px: PixelSide
    margin: Share
    plates: list[Count]
    carpal_sizes: list[Positive]
    shifts: list[Share]
    visible_contrast: NotNegative
    visible_spot: Share
    seed: int


class _Case(NamedTuple):
    kind: str
    name: str
    enhanced_by: str
    picture: np.ndarray
    visible: bool


def score_phantom(
    number: int,
    phantom: Phantom,
    settings: FidelitySettings,
    study: FidelityStudy,
    enhancers: Mapping[str, Enhancement],
) -> pd.DataFrame:
    """Measure the fidelity of a phantom after every honest change, and with every lie in what enhancers make of it.

    Args:
        number: of the phantom; with the study's seed it decides all draws.
        enhancers: by name, beside a combination of honest changes; a lie is planted in what each of them makes.

    Returns:
        a row a picture: ``phantom`` (its number), ``kind`` ("honest", "enhancer" for what one made, without a lie, or
        "invention"), ``name``, ``enhanced_by`` (another one for inventions alone), ``visible``, and the facts of
        `Fidelity`.
    """
    hand = cut_phantom(phantom, study["margin"], study["input_px"])
    original = hand.image.astype(np.float32) / 255
    rows = []
    for case in _cases(original, hand, study, number, enhancers):
        described = case._asdict()
        facts = measure_fidelity(original, described.pop("picture"), hand.hand_mask, settings)
        rows.append({"phantom": number, **described, **facts._asdict()})
    return pd.DataFrame(rows)


def score_honest(
    pictures: Mapping[str, tuple[np.ndarray, np.ndarray]], settings: FidelitySettings, seed: int
) -> pd.DataFrame:
    """Measure the fidelity of pictures after every honest change; it needs no truth, so real radiographs will do.

    Args:
        pictures: by id, (H, W) float32 of 0 to 1 and (H, W) bool of the hand.
        settings: how structure is compared.
        seed: of the changes.

    Returns:
        a row a picture and change: ``id``, ``kind`` ("honest"), ``name``, and the facts of `Fidelity`; `calibrate`
        takes it.
    """
    rows: list[dict[str, object]] = []
    for number, (key, (original, inside)) in enumerate(pictures.items()):
        for place, name in enumerate(HONEST):
            rng = np.random.default_rng([seed, number, place])
            facts = measure_fidelity(
                original, enhance_honestly(name, original, inside, rng), inside, settings
            )
            rows.append({"id": key, "kind": "honest", "name": name, **facts._asdict()})
    return pd.DataFrame(rows)


def calibrate(scores: pd.DataFrame, false_alarms: float, others: FidelityLimits) -> FidelityLimits:
    """The limits of change that fire on no more honest pictures than allowed; the other limits stay.

    Args:
        scores: as of `score_phantom` or `score_honest`.
        false_alarms: the share of honest pictures on which the limits may fire.
        others: where the other limits come from.
    """
    honest = scores[scores["kind"] == "honest"]
    fine, broad = (
        float(honest[change].quantile(1 - false_alarms / 2)) for change in ("fine_change", "broad_change")
    )
    return {**others, "most_fine_change": fine, "most_broad_change": broad}


def detection_table(scores: pd.DataFrame, limits: FidelityLimits) -> pd.DataFrame:
    """How often the guard fires, a row a change: on honest ones these are false alarms.

    Args:
        scores: as of `score_phantom`, of phantoms on which the limits were not set. Lies that are not visible are
            left out.
        limits: what a picture must keep.

    Returns:
        ``kind, name, enhanced_by, pictures, fired`` (share), and ``auc``: how often such a picture is changed more
        than an honest one, by the greater of the two changes, each as a part of its limit; ties count half; nan for
        honest ones and for what enhancers made.
    """
    seen = scores[scores["visible"]]
    parts = (
        seen["fine_change"] / limits["most_fine_change"],
        seen["broad_change"] / limits["most_broad_change"],
    )
    judged = seen.assign(
        change=np.maximum(*parts),
        fired=[bool(judge(Fidelity(*facts), limits)) for facts in seen[list(Fidelity._fields)].to_numpy()],
    )
    honest = judged.loc[judged["kind"] == "honest", "change"].to_numpy()
    return pd.DataFrame(
        {
            "kind": kind,
            "name": name,
            "enhanced_by": enhancer,
            "pictures": len(part),
            "fired": part["fired"].mean(),
            "auc": _auc(part["change"].to_numpy(), honest) if kind == "invention" else np.nan,
        }
        for (kind, name, enhancer), part in judged.groupby(["kind", "name", "enhanced_by"], sort=False)
    )


def halves(scores: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The scores of every other phantom, for setting limits, and of those between, for testing them."""
    even = scores["phantom"] % 2 == 0
    return scores[even], scores[~even]


def _cases(
    original: np.ndarray,
    hand: Phantom,
    study: FidelityStudy,
    number: int,
    enhancers: Mapping[str, Enhancement],
) -> Iterator[_Case]:
    inside, lies = hand.hand_mask, _lies(study)
    seeds = iter(np.random.SeedSequence([study["seed"], number]).spawn(len(HONEST) + len(lies) + 1))
    for name in HONEST:
        changed = enhance_honestly(name, original, inside, np.random.default_rng(next(seeds)))
        yield _Case("honest", name, name, changed, True)
    combined = enhance_honestly("combined", original, inside, np.random.default_rng(next(seeds)))
    made = {name: enhance(original, inside) for name, enhance in enhancers.items()}
    for name, enhanced in made.items():
        yield _Case("enhancer", name, name, enhanced, True)
    for (name, lie), seed in zip(lies.items(), seeds, strict=True):
        for enhancer, enhanced in {"combined": combined, **made}.items():
            told = lie(enhanced, hand, np.random.default_rng(seed)).picture
            planted = np.where(inside, told, 0)
            visible = _visible(planted - enhanced, enhanced[inside].std(), study)
            yield _Case("invention", name, enhancer, planted, visible)


def _lies(study: FidelityStudy) -> dict[str, Lie]:
    """Every lie of the study by name."""
    lies: dict[str, Lie] = {"carpal erased": erase_carpal}
    for count in study["plates"]:
        lies[f"growth plates erased: {count}"] = partial(_erase_plates, count=count)
    for size in study["carpal_sizes"]:
        lies[f"carpal added: {size:g} of full width"] = partial(_add_carpal, size=size)
    for shift in study["shifts"]:
        distance_px = shift * study["input_px"]
        lies[f"bone shifted: {distance_px:.2g} px"] = partial(_shift, distance_px=distance_px)
    return lies


def _erase_plates(picture: np.ndarray, hand: Phantom, rng: np.random.Generator, count: int) -> Invention:
    return erase_growth_plates(picture, hand, count, rng)


def _add_carpal(picture: np.ndarray, hand: Phantom, rng: np.random.Generator, size: float) -> Invention:
    return add_carpal(picture, hand, size, rng)


def _shift(picture: np.ndarray, hand: Phantom, rng: np.random.Generator, distance_px: float) -> Invention:
    return shift_bone(picture, hand, distance_px, rng)


def _visible(change: np.ndarray, contrast: float, study: FidelityStudy) -> bool:
    changed = np.abs(change) > study["visible_contrast"] * contrast
    return bool(changed.mean() >= study["visible_spot"])


def _auc(lies: np.ndarray, honest: np.ndarray) -> float:
    ordered = np.sort(honest)
    below, not_above = (np.searchsorted(ordered, lies, side=side) for side in ("left", "right"))
    return float((below + not_above).mean() / (2 * len(honest)))
