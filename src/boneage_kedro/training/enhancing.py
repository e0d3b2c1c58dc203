"""The enhancer on a cohort: teaching it, enhancing a store of hands under the guard, and grading what it does."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from boneage_kedro.evaluation.fidelity import FidelityLimits, fidelity_row, guarded
from boneage_kedro.evaluation.fidelity_study import calibrate, score_honest
from boneage_kedro.evaluation.image_quality import Graded, grade
from boneage_kedro.imaging.enhancement import Enhancement
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.imaging.tone_curve import StandardTone, to_standard_tone
from boneage_kedro.masks.hand_store import WithoutBackground
from boneage_kedro.models.enhancer import Enhancer
from boneage_kedro.training.device import device_of
from boneage_kedro.training.enhance import enhance, enhance_store
from boneage_kedro.training.gan import ShowSheet, train_gan
from boneage_kedro.training.gan_settings import GanSettings, GuardSettings, TileSettings
from boneage_kedro.training.gold import GoldPairs
from boneage_kedro.training.pairs import Pairs
from boneage_kedro.training.progress import Checkpoint, EpochRecord


class Enhanced(NamedTuple):
    """A hand as it is handed on, and its row of the table of fidelity (`fidelity_row`)."""

    id: str
    picture: np.ndarray
    row: dict[str, Any]


def teach_enhancer(
    gold: GoldPairs,
    hands: ImageStore,
    tone: StandardTone,
    settings: GanSettings,
    checkpoint: Checkpoint,
    on_sheet: ShowSheet,
) -> tuple[dict[str, Tensor], dict[str, Any], list[EpochRecord]]:
    """Teach the enhancer.

    Returns:
        its weights; plain values that build it again and say what it was made for (``generator``, ``preparation``,
        ``tone``, ``pairs``); and a row an epoch.
    """
    model, history = train_gan(gold.train, gold.validation, settings, checkpoint, gold.name, on_sheet)
    weights = {name: value.contiguous() for name, value in model.state_dict().items()}
    described = {
        "generator": dict(settings["generator"]),
        "preparation": hands.header.preparation,
        "tone": dict(tone),
        "pairs": gold.name,
    }
    return weights, described, history


def set_limits(
    hands: ImageStore, masks: Mapping[str, np.ndarray], ids: Sequence[str], guard: GuardSettings, seed: int
) -> FidelityLimits:
    """The guard's limits of change, as honest changes of tone of some hands set them (`calibrate`).

    Args:
        ids: hands of the training part to draw from; without any the limits stay as they are.
    """
    if not ids:
        return guard["limits"]
    drawn = np.random.default_rng(seed).permutation(len(ids))[: guard["calibration_cases"]]
    bare = WithoutBackground(hands, masks)
    pictures = {ids[i]: (bare[ids[i]].astype(np.float32) / 255, masks[ids[i]] > 0) for i in drawn}
    scores = score_honest(pictures, guard["fidelity"], seed)
    return calibrate(scores, guard["false_alarms"], guard["limits"])


def enhance_hands(
    model: Enhancer,
    hands: ImageStore,
    masks: ImageStore,
    ids: Sequence[str],
    tone: StandardTone,
    tiles: TileSettings,
    guard: GuardSettings,
    batch_size: int,
    device: torch.device,
) -> Iterator[Enhanced]:
    """Enhance hands one at a time; one whose enhanced picture shows another hand gets the standard tone alone."""
    bare = WithoutBackground(hands, masks)
    enhanced = enhance_store(
        model, bare, masks, ids, tiles["tile_px"], tiles["overlap_px"], batch_size, device
    )
    for key, picture in enhanced:
        inside = masks[key] > 0
        original = bare[key].astype(np.float32) / 255
        plain = to_standard_tone(original, inside, **tone)
        kept = guarded(
            original, plain, picture.astype(np.float32) / 255, inside, guard["fidelity"], guard["limits"]
        )
        shown = np.rint(kept.picture * 255).astype(np.uint8) if kept.reasons else picture
        yield Enhanced(key, shown, fidelity_row(key, kept.fidelity, guard["limits"]))


def as_methods(
    model: Enhancer, tone: StandardTone, tiles: TileSettings, guard: GuardSettings, accelerator: str
) -> dict[str, Enhancement]:
    """The enhancer with and without its guard, in the form of the baselines."""
    device = device_of(accelerator)

    def gan(image: np.ndarray, inside: np.ndarray) -> np.ndarray:
        return enhance(model, image * inside, tiles["tile_px"], tiles["overlap_px"], device) * inside

    def gan_guarded(image: np.ndarray, inside: np.ndarray) -> np.ndarray:
        plain = to_standard_tone(image, inside, **tone)
        return guarded(
            image * inside, plain, gan(image, inside), inside, guard["fidelity"], guard["limits"]
        ).picture

    return {"gan": gan, "gan_guarded": gan_guarded}


def grade_pairs(pairs: Pairs, methods: Mapping[str, Enhancement]) -> pd.DataFrame:
    """How near each method comes to the gold standard (see `grade`)."""
    return _grade(methods, pairs.ids, lambda i: pairs.pair(i, 0))


def grade_hands(
    hands: ImageStore, masks: Mapping[str, np.ndarray], ids: Sequence[str], methods: Mapping[str, Enhancement]
) -> pd.DataFrame:
    """How even the tone of hands is as they came and after each method; without gold (see `grade`)."""

    def hand(i: int) -> tuple[np.ndarray, None, np.ndarray]:
        return hands[ids[i]].astype(np.float32) / 255, None, masks[ids[i]] > 0

    return _grade(methods, ids, hand)


def _grade(
    methods: Mapping[str, Enhancement],
    ids: Sequence[str],
    case: Callable[[int], tuple[np.ndarray, np.ndarray | None, np.ndarray]],
) -> pd.DataFrame:
    def pictures() -> Iterator[Graded]:
        for i, key in enumerate(ids):
            image, gold, inside = case(i)
            for name, method in methods.items():
                yield Graded(name, key, method(image, inside), inside, gold)

    grades = grade(pictures())
    order = {name: place for place, name in enumerate(methods)}
    return grades.sort_values("method", key=lambda names: names.map(order), kind="stable", ignore_index=True)
