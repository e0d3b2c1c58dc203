"""Active learning of hand masks, once or as a study of rules, and the committee that comes of it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from torch import Tensor

from boneage_kedro.models.committee import Committee
from boneage_kedro.models.segmenter import Segmenter, SegmenterConfig
from boneage_kedro.provenance import fingerprint
from boneage_kedro.training.active_learning import ActiveLearning, Outcome
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.lesson import MaskedData, TestDice
from boneage_kedro.training.oracle import Oracle, Truth
from boneage_kedro.training.questions import draw_questions
from boneage_kedro.training.segmentation import new_segmenter
from boneage_kedro.training.settings import QueryArm, QuerySettings, SegmentationSettings


def train_hand_committee(
    data: MaskedData,
    oracle: Oracle,
    network: SegmentationSettings,
    query: QuerySettings,
    checkpoint: CheckpointFile,
    first_checkpoint: CheckpointFile,
) -> Outcome:
    """Teach one committee, asking the oracle."""

    def new_member(seed: int) -> Segmenter:
        mine: SegmentationSettings = {**network, "fit": {**network["fit"], "seed": seed}}
        return new_segmenter(mine, data.classes, data.pretrained)

    answerable = [key for key in data.images.ids if oracle.may_answer(key)]
    questions = draw_questions(data.splits, answerable, oracle.free(), query, network["fit"]["seed"])
    observe = TestDice(data.images, data.test, network)
    learning = ActiveLearning(
        new_member, questions, data.images, oracle, network, query, observe, checkpoint, first_checkpoint
    )
    return learning.run()


def describe_committee(
    outcome: Outcome, data: MaskedData, network: SegmentationSettings
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Weights of all members, and the plain values that `build_committee` needs beside them."""
    committee = Committee(outcome.members)
    weights = {name: value.contiguous() for name, value in committee.state_dict().items()}
    return weights, {
        "members": len(outcome.members),
        "segmenter": committee.config.as_dict(),
        "input_px": network["input_px"],
        "labelled": outcome.labelled,
        "preparation": data.images.header.preparation,
    }


def build_committee(weights: Mapping[str, Tensor], settings: Mapping[str, Any]) -> Committee:
    """A trained committee, in evaluation mode, from what was kept beside its weights."""
    config = SegmenterConfig(**settings["segmenter"])
    committee = Committee([Segmenter(config) for _ in range(settings["members"])])
    committee.load_state_dict(dict(weights))
    return committee.eval()


def run_hand_study(
    data: MaskedData,
    network: SegmentationSettings,
    query: QuerySettings,
    arms: Sequence[QueryArm],
    seeds: Sequence[int],
    checkpoint: CheckpointFile,
) -> Iterator[pd.DataFrame]:
    """Run every arm with every seed on known masks; the seed draws the first masks, the networks and the order.

    A cell that was finished before is not run again, and arms that begin alike share round 0.

    Yields:
        after each cell the table so far: ``arm, seed, round, labels, validation_dice, disagreement, test_dice``.
    """
    tables: list[pd.DataFrame] = []
    for seed in seeds:
        for arm in arms:
            changed = {key: value for key, value in arm.items() if key not in {"name", "architecture"}}
            mine: QuerySettings = {**query, **changed}  # type: ignore[typeddict-item]
            net: SegmentationSettings = {
                **network,
                "architecture": arm["architecture"],
                "fit": {**network["fit"], "seed": seed},
            }
            start = fingerprint(arm["architecture"], arm["first_labels"], arm["members"], seed)[:12]
            cell = checkpoint.beside(fingerprint(arm["name"], seed)[:12])
            outcome = train_hand_committee(data, Truth(data.masks), net, mine, cell, checkpoint.beside(start))
            tables.append(outcome.rounds.assign(arm=arm["name"], seed=seed))
            yield pd.concat(tables, ignore_index=True)
