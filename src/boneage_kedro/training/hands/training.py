"""Active learning of hand masks, once or as a study of rules, and the committee that comes of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from boneage_kedro.models.committee import Committee
from boneage_kedro.models.segmenter import Segmenter, SegmenterConfig
from boneage_kedro.provenance import fingerprint
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.device import device_of
from boneage_kedro.training.hands.active_learning import ActiveLearning, Outcome
from boneage_kedro.training.hands.oracle import Oracle, Truth
from boneage_kedro.training.hands.questions import Questions, draw_questions
from boneage_kedro.training.hands.settings import QueryArm, QuerySettings
from boneage_kedro.training.segmentation.lesson import MaskedData, TestDice
from boneage_kedro.training.segmentation.network_training import new_segmenter, predict_masks
from boneage_kedro.training.segmentation.settings import SegmentationSettings
from boneage_kedro.training.study import run_cells


def ask_first(
    data: MaskedData, oracle: Oracle, network: SegmentationSettings, query: QuerySettings
) -> list[str]:
    """Ask for the masks without which nothing can be learnt, and say which are open.

    With ``labels: 0`` nothing is learnt, so nothing is asked. A network that was trained elsewhere proposes masks;
    one with random weights proposes nothing.
    """
    if not query["labels"]:
        return []
    questions = _questions(data, oracle, network, query)
    wanted = questions.first + questions.validation
    answered = oracle.masks(wanted)
    open_ids = [key for key in wanted if key not in answered]

    def propose(ids: list[str]) -> Iterator[tuple[str, np.ndarray]]:
        if network["initial_weights"] in {"random", "imagenet"}:
            return ((key, np.zeros(data.images.frame(key, 1)[1], np.uint8)) for key in ids)
        model, fit = new_segmenter(network, data.classes, data.pretrained), network["fit"]
        device = device_of(fit["accelerator"])
        return predict_masks(model, data.images, ids, network["input_px"], fit["batch_size"], device)

    if open_ids:
        oracle.ask(open_ids, propose)
    return open_ids


def train_hand_committee(
    data: MaskedData,
    oracle: Oracle,
    network: SegmentationSettings,
    query: QuerySettings,
    checkpoint: CheckpointFile,
    first_checkpoint: CheckpointFile,
) -> Outcome:
    """Teach one committee, asking the oracle; with ``labels: 0`` one that was trained elsewhere is taken as it is.

    Raises:
        ValueError: it is to be taken as it is, and its weights are random.
    """

    def new_member(number: int, seed: int) -> Segmenter:
        mine: SegmentationSettings = {**network, "fit": {**network["fit"], "seed": seed}}
        return new_segmenter(mine, data.classes, data.pretrained, number)

    observe = TestDice(data.images, data.test, network)
    if not query["labels"]:
        return _take_as_it_is(new_member, network, query, observe)
    learning = ActiveLearning(
        new_member,
        _questions(data, oracle, network, query),
        data.images,
        oracle,
        network,
        query,
        observe,
        checkpoint,
        first_checkpoint,
    )
    return learning.run()


def _take_as_it_is(
    new_member: Callable[[int, int], Segmenter],
    network: SegmentationSettings,
    query: QuerySettings,
    observe: TestDice,
) -> Outcome:
    if network["initial_weights"] in {"random", "imagenet"}:
        raise ValueError(
            "hand_active_learning.query.labels = 0 takes a committee as it was trained elsewhere; name its file in "
            "hand_active_learning.network.initial_weights"
        )
    members = [new_member(i, network["fit"]["seed"]) for i in range(query["members"])]
    nothing = {"round": 0, "labels": 0, "validation_dice": np.nan, "disagreement": np.nan}
    return Outcome(members, pd.DataFrame([nothing | observe(Committee(members))]), [], [])


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


def build_members(weights: Mapping[str, Tensor], settings: Mapping[str, Any]) -> list[Segmenter]:
    """The members of a trained committee, in evaluation mode, from what was kept beside their weights."""
    config = SegmenterConfig(**settings["segmenter"])
    members = [Segmenter(config) for _ in range(settings["members"])]
    Committee(members).load_state_dict(dict(weights))
    return [member.to(memory_format=torch.channels_last).eval() for member in members]


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

    Raises:
        ValueError: as `run_cells`.

    Yields:
        after each cell the table so far: ``arm, seed, round, labels, validation_dice, disagreement, test_dice``.
    """

    def run(arm: QueryArm, seed: int, cell: CheckpointFile) -> pd.DataFrame:
        ways: QuerySettings = {
            **query,
            "rule": arm["rule"],
            "members": arm["members"],
            "first_labels": arm["first_labels"],
            "labels": arm["labels"],
        }
        shape = arm.get("network", {})
        mine: SegmentationSettings = {**network, **shape, "fit": {**network["fit"], "seed": seed}}
        first = checkpoint.beside(fingerprint(shape, arm["first_labels"], arm["members"], seed)[:12])
        return train_hand_committee(data, Truth(data.masks), mine, ways, cell, first).rounds

    yield from run_cells("hand_study", arms, seeds, checkpoint, run)


def _questions(
    data: MaskedData, oracle: Oracle, network: SegmentationSettings, query: QuerySettings
) -> Questions:
    answerable = [key for key in data.images.ids if oracle.may_answer(key)]
    return draw_questions(data.splits, answerable, oracle.free(), query, network["fit"]["seed"])
