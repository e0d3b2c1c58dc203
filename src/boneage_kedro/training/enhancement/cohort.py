"""The enhancer on a cohort: teaching it, enhancing a store of hands under the guard, and grading what it does."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from boneage_kedro.evaluation.enhancement.fidelity import FidelityLimits, fidelity_row, guarded
from boneage_kedro.evaluation.enhancement.fidelity_study import calibrate, score_honest
from boneage_kedro.evaluation.enhancement.image_quality import Graded, grade
from boneage_kedro.imaging.contrast.enhancement import Enhancement
from boneage_kedro.imaging.contrast.tone_curve import StandardTone, to_standard_tone
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.masks.hand.store import WithoutBackground
from boneage_kedro.models.enhancer import Enhancer
from boneage_kedro.provenance import fingerprint
from boneage_kedro.training.device import device_of
from boneage_kedro.training.enhancement.enhance import enhance, enhance_store
from boneage_kedro.training.enhancement.gan import ShowSheet, train_gan
from boneage_kedro.training.enhancement.gan_settings import (
    GanSettings,
    GuardSettings,
    PairSettings,
    TileSettings,
)
from boneage_kedro.training.enhancement.gold import GoldPairs
from boneage_kedro.training.enhancement.pairs import Pairs, TonedPairs
from boneage_kedro.training.progress import Checkpoint, EpochRecord


class _InStandardTone(Mapping[str, np.ndarray]):
    """Hands (P, P) float32 by id in the standard tone; each is made when it is asked for."""

    def __init__(
        self, hands: Mapping[str, np.ndarray], masks: Mapping[str, np.ndarray], tone: StandardTone
    ) -> None:
        self._hands, self._masks, self._tone = hands, masks, tone

    def __getitem__(self, key: str) -> np.ndarray:
        hand = self._hands[key].astype(np.float32) / 255
        return to_standard_tone(hand, self._masks[key] > 0, **self._tone)

    def __iter__(self) -> Iterator[str]:
        return iter(self._hands)

    def __len__(self) -> int:
        return len(self._hands)


class Enhanced(NamedTuple):
    """A hand as it is handed on, and its row of the table of fidelity (`fidelity_row`)."""

    id: str
    picture: np.ndarray
    row: dict[str, Any]


def teach_enhancer(
    gold: GoldPairs,
    hands: ImageStore,
    pairs: PairSettings,
    settings: GanSettings,
    checkpoint: Checkpoint,
    on_sheet: ShowSheet | None = None,
) -> tuple[dict[str, Tensor], dict[str, Any], list[EpochRecord]]:
    """Teach the enhancer.

    Returns:
        its weights; plain values that build it again and say what it was made for (``generator``, ``preparation``,
        ``tone``, ``input_tone``, ``pairs``); and a row an epoch.
    """
    train, validation = gold.train, gold.validation
    if pairs["input_tone"] == "standard":
        train, validation = (TonedPairs(part, pairs["tone"]) for part in (train, validation))
    name = fingerprint(gold.name, pairs["input_tone"], pairs["tone"])
    model, history = train_gan(train, validation, settings, checkpoint, name, on_sheet)
    weights = {name: value.contiguous() for name, value in model.state_dict().items()}
    described = {
        "generator": dict(settings["generator"]),
        "preparation": hands.header.preparation,
        "tone": dict(pairs["tone"]),
        "input_tone": pairs["input_tone"],
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
    hands: Mapping[str, np.ndarray],
    masks: Mapping[str, np.ndarray],
    ids: Sequence[str],
    described: Mapping[str, Any],
    tiles: TileSettings,
    guard: GuardSettings,
    batch_size: int,
    device: torch.device,
) -> Iterator[Enhanced]:
    """Enhance hands one at a time; one whose enhanced picture shows another hand gets the standard tone alone.

    Args:
        hands: (P, P) uint8 by id.
        masks: in their frame by id, 0 outside.
        described: what `teach_enhancer` says of the model.
    """
    bare = WithoutBackground(hands, masks)
    toned = _InStandardTone(bare, masks, described["tone"])
    given = toned if described["input_tone"] == "standard" else bare
    enhanced = enhance_store(
        model, given, masks, ids, tiles["tile_px"], tiles["overlap_px"], batch_size, device
    )
    for key, picture in enhanced:
        inside, plain = masks[key] > 0, toned[key]
        original = bare[key].astype(np.float32) / 255
        kept = guarded(
            original, plain, picture.astype(np.float32) / 255, inside, guard["fidelity"], guard["limits"]
        )
        shown = np.rint(kept.picture * 255).astype(np.uint8) if kept.reasons else picture
        yield Enhanced(key, shown, fidelity_row(key, kept.fidelity, guard["limits"]))


def as_method(
    model: Enhancer, described: Mapping[str, Any], tiles: TileSettings, accelerator: str
) -> Enhancement:
    """The enhancer in the form of the baselines, without its guard; what lies outside the hand is 0.

    Args:
        described: what `teach_enhancer` says of the model.
    """
    device = device_of(accelerator)

    def gan(image: np.ndarray, inside: np.ndarray) -> np.ndarray:
        standard = described["input_tone"] == "standard"
        given = to_standard_tone(image, inside, **described["tone"]) if standard else image * inside
        return enhance(model, given, tiles["tile_px"], tiles["overlap_px"], device) * inside

    return gan


def under_guard(gan: Enhancement, tone: StandardTone, guard: GuardSettings) -> Enhancement:
    """The enhancer with its guard, which puts the standard tone in the place of what shows another hand."""

    def gan_guarded(image: np.ndarray, inside: np.ndarray) -> np.ndarray:
        plain, enhanced = to_standard_tone(image, inside, **tone), gan(image, inside)
        return guarded(image * inside, plain, enhanced, inside, guard["fidelity"], guard["limits"]).picture

    return gan_guarded


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
