"""Self-training of a network for phalanges, once or as the experiment of paper 000, table II."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.masks.crf_settings import CrfSettings
from boneage_kedro.models.segmenter import Segmenter
from boneage_kedro.provenance import fingerprint
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.device import device_of
from boneage_kedro.training.fingers.crf_tuning import CrfSample, tune_crf
from boneage_kedro.training.fingers.selftrain import SelfTraining
from boneage_kedro.training.fingers.settings import Arm, SelfTrainSettings
from boneage_kedro.training.segmentation.lesson import MaskedData, TestDice, TruthObserver, make_lesson
from boneage_kedro.training.segmentation.network_training import new_segmenter, predict
from boneage_kedro.training.segmentation.samples import Pictures
from boneage_kedro.training.segmentation.settings import SegmentationSettings
from boneage_kedro.training.study import run_cells


def train_finger_segmenter(
    data: MaskedData,
    network: SegmentationSettings,
    rounds: SelfTrainSettings,
    crf: CrfSettings,
    labelled: int,
    checkpoint: CheckpointFile,
    first_checkpoint: CheckpointFile,
) -> tuple[Segmenter, dict[str, Any], pd.DataFrame]:
    """Self-train one network.

    Returns:
        it, plain values that `build_segmenter` needs beside its weights, and a row a round.
    """

    def new_student() -> Segmenter:
        return new_segmenter(network, data.classes, data.pretrained)

    seed = network["fit"]["seed"]
    lesson = make_lesson(data.images, data.splits, data.masks, network, labelled, seed)
    observe = TruthObserver(TestDice(data.images, data.test, network), lesson, data.masks)
    training = SelfTraining(new_student, lesson, network, rounds, crf, observe, checkpoint, first_checkpoint)
    student, table = training.run()
    described = {
        "segmenter": student.config.as_dict(),
        "input_px": network["input_px"],
        "labelled": lesson.labelled.pictures.ids,
        "preparation": data.images.header.preparation,
        "data_fingerprint": lesson.name,
    }
    return student, described, table


def run_study(
    data: MaskedData,
    network: SegmentationSettings,
    rounds: SelfTrainSettings,
    crf: CrfSettings,
    arms: Sequence[Arm],
    seeds: Sequence[int],
    checkpoint: CheckpointFile,
) -> Iterator[pd.DataFrame]:
    """Run every arm with every seed; the seed draws the labelled pictures, the network, and all that is random.

    A cell that was finished before is not run again, and arms that begin alike share round 0.

    Raises:
        ValueError: as `run_cells`.

    Yields:
        after each cell the table so far: ``arm, seed, round, pseudo_labels, test_dice, validation_dice,
        pseudo_dice``.
    """

    def run(arm: Arm, seed: int, cell: CheckpointFile) -> pd.DataFrame:
        mine: SegmentationSettings = {
            **network,
            "initial_weights": arm["initial_weights"],
            "fit": {**network["fit"], "seed": seed},
        }
        way: SelfTrainSettings = {**rounds, "selection": arm["selection"], "teacher": arm["teacher"]}
        first = checkpoint.beside(fingerprint(arm["labelled"], arm["initial_weights"], seed)[:12])
        _, _, table = train_finger_segmenter(data, mine, way, crf, arm["labelled"], cell, first)
        return table

    yield from run_cells("finger_study", arms, seeds, checkpoint, run)


def tune_teacher(
    student: Segmenter,
    images: ImageStore,
    masks: Mapping[str, np.ndarray],
    ids: Sequence[str],
    network: SegmentationSettings,
    crf: CrfSettings,
    crf_px: float,
    grid: Mapping[str, Sequence[float]],
) -> tuple[CrfSettings, pd.DataFrame]:
    """The dense CRF's settings that refine a student's masks of these cases best (see `tune_crf`).

    Args:
        crf_px: side of the pictures at which reaches are given, in the settings, the grid and the outcome.
    """
    device = device_of(network["fit"]["accelerator"])
    pictures = Pictures.of(images, ids, network["input_px"])
    samples = []
    for batch, shares in predict(student, pictures, network["fit"]["batch_size"], device):
        rows = zip(batch.ids, shares, batch.gray_levels, strict=True)
        samples += [CrfSample(key, p, g, torch.tensor(masks[key], device=device)) for key, p, g in rows]
    return tune_crf(samples, crf, grid, network["input_px"] / crf_px)
