"""What the guard of `fidelity` sees: its limits set on honest enhancement, its detection of planted inventions."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
from typing_extensions import TypedDict

from boneage_kedro.evaluation.fidelity import (
    Fidelity,
    FidelityLimits,
    FidelitySettings,
    judge,
    measure_fidelity,
)
from boneage_kedro.evaluation.honest_changes import HONEST, enhance_honestly
from boneage_kedro.imaging.geometry import Box, centre_on_canvas, fitted_size
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
    picture: np.ndarray
    visible: bool


def cut_phantom(phantom: Phantom, margin: float, input_px: int) -> Phantom:
    """A phantom as the store of hands has it: cut to the hand, black outside, square, bone bright.

    Args:
        phantom: a whole radiograph with its truth.
        margin: around the hand, as a share of its longer side.
        input_px: side of the square.
    """
    picture = 255 - phantom.image if phantom.nuisance.inverted else phantom.image
    left, top, width, height = cv2.boundingRect(phantom.hand_mask.astype(np.uint8))
    pad, (rows, columns) = round(margin * max(width, height)), picture.shape
    box = Box(
        max(0, left - pad),
        max(0, top - pad),
        min(columns, left + width + pad),
        min(rows, top + height + pad),
    )
    size = fitted_size(box, input_px)
    scale = np.array(size) / (box.width, box.height)
    offset = ((input_px - size[0]) // 2, (input_px - size[1]) // 2)

    def fit(pixels: np.ndarray, interpolation: int) -> np.ndarray:
        return centre_on_canvas(cv2.resize(box.view(pixels), size, interpolation=interpolation), input_px)

    inside = fit(phantom.hand_mask.astype(np.uint8), cv2.INTER_NEAREST) > 0
    return replace(
        phantom,
        image=fit(picture, cv2.INTER_AREA) * inside,
        hand_mask=inside,
        bones=fit(phantom.bones, cv2.INTER_NEAREST),
        joints=((phantom.joints - (box.left, box.top) + 0.5) * scale - 0.5 + offset).astype(np.float32),
    )


def score_phantoms(
    phantoms: Iterable[Phantom], settings: FidelitySettings, study: FidelityStudy
) -> pd.DataFrame:
    """Measure the fidelity of each phantom after every honest change and with every lie.

    Returns:
        a row a picture: ``phantom`` (its number), ``kind`` ("honest" or "invention"), ``name``, ``visible``, and the
        facts of `Fidelity`.
    """
    rows = []
    for number, phantom in enumerate(phantoms):
        hand = cut_phantom(phantom, study["margin"], study["input_px"])
        original = hand.image.astype(np.float32) / 255
        for case in _cases(original, hand, study, number):
            facts = measure_fidelity(original, case.picture, hand.hand_mask, settings)
            row = {"phantom": number, "kind": case.kind, "name": case.name, "visible": case.visible}
            rows.append(row | facts._asdict())
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
        scores: as of `score_phantoms` or `score_honest`.
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
        scores: as of `score_phantoms`, of phantoms on which the limits were not set. Lies that are not visible are
            left out.
        limits: what a picture must keep.

    Returns:
        ``kind, name, pictures, fired`` (share), and ``auc``: how often such a picture is changed more than an honest
        one, by the greater of the two changes, each as a part of its limit; ties count half; nan for honest ones.
    """
    seen = scores[(scores["kind"] == "honest") | scores["visible"]]
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
            "pictures": len(part),
            "fired": part["fired"].mean(),
            "auc": _auc(part["change"].to_numpy(), honest) if kind == "invention" else np.nan,
        }
        for (kind, name), part in judged.groupby(["kind", "name"], sort=False)
    )


def halves(scores: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The scores of every other phantom, for setting limits, and of those between, for testing them."""
    even = scores["phantom"] % 2 == 0
    return scores[even], scores[~even]


def _cases(original: np.ndarray, hand: Phantom, study: FidelityStudy, number: int) -> Iterator[_Case]:
    inside, seeds = hand.hand_mask, np.random.SeedSequence([study["seed"], number])
    draws = iter([np.random.default_rng(seed) for seed in seeds.spawn(len(HONEST) + len(_lies(study)) + 1)])
    for name in HONEST:
        yield _Case("honest", name, enhance_honestly(name, original, inside, next(draws)), True)
    enhanced = enhance_honestly("combined", original, inside, next(draws))
    for name, lie in _lies(study).items():
        planted = np.where(inside, lie(enhanced, hand, next(draws)).picture, 0)
        yield _Case("invention", name, planted, _visible(planted - enhanced, enhanced[inside].std(), study))


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
