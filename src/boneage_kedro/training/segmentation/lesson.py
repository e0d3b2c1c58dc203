"""What a segmentation network learns from and is judged by: masks and pictures, sorted by the one split."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn

from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.models.segmenter import Segmenter
from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.provenance import digest, fingerprint, fingerprint_code
from boneage_kedro.training.device import device_of
from boneage_kedro.training.segmentation.network_training import mean_dice, predict_masks
from boneage_kedro.training.segmentation.overlap import label_dice
from boneage_kedro.training.segmentation.samples import MaskSamples, Pictures
from boneage_kedro.training.segmentation.settings import SegmentationSettings


@dataclass(frozen=True)
class MaskedData:
    """What a training of a segmentation network is given.

    Attributes:
        masks: (P, P) uint8 codes by id at the network's size, of every part.
        test: masks of the test part at the size of their radiographs; only for figures.
        classes: number of codes, with the background.
    """

    images: ImageStore
    splits: pd.DataFrame
    masks: Mapping[str, np.ndarray]
    test: Mapping[str, np.ndarray]
    classes: int
    pretrained: PretrainedWeights


@dataclass(frozen=True)
class Lesson:
    """What a student learns from: masks that people drew, masks to validate with, and a pool without masks.

    ``name`` is a fingerprint of all of it.
    """

    labelled: MaskSamples
    validation: MaskSamples
    pool: Pictures
    name: str


def make_lesson(
    store: ImageStore,
    splits: pd.DataFrame,
    masks: Mapping[str, np.ndarray],
    settings: SegmentationSettings,
    labelled: int,
    seed: int,
) -> Lesson:
    """Labelled pictures and pool from the training part, validation masks from validation and calibration part.

    Masks need no calibration of intervals, so that part of the split helps to choose the best epoch; the test part
    is left alone.

    Args:
        masks: (P, P) uint8 class codes by id, at the network's size.
        labelled: so many training pictures keep their masks, drawn at random; 0 is all. The others join the
            pool, where their masks are not used.

    Raises:
        ValueError: fewer training pictures have a mask.
    """
    part_of = splits.set_index("id")["split"]
    training = sorted(part_of.index[part_of == "train"])
    with_mask = [key for key in training if key in masks]
    if labelled > len(with_mask) or not with_mask:
        raise ValueError(
            f"{labelled} labelled pictures are asked for (labelled, of the pipeline or of an arm of its study), and "
            f"{len(with_mask)} of the training part have a mask; ask for fewer, or bring more"
        )
    drawn = np.random.default_rng(seed).permutation(len(with_mask))[: labelled or None]
    chosen = sorted(with_mask[i] for i in drawn)
    pool = sorted(set(training) - set(chosen))
    validation = sorted(key for key in masks if part_of.get(key) in {"validation", "calibration"})
    name = fingerprint(
        fingerprint_masks({key: masks[key] for key in chosen + validation}),
        store.fingerprint(chosen + validation + pool),
    )
    return Lesson(
        _with_masks(store, masks, chosen, settings),
        _with_masks(store, masks, validation, settings),
        Pictures.of(store, pool, settings["input_px"]),
        name,
    )


@dataclass(frozen=True)
class TestDice:
    """Measures a network, or a committee, on the test part at the radiographs' own size; this decides nothing.

    Attributes:
        masks: of the test part, at the size of their radiographs.
    """

    store: ImageStore
    masks: Mapping[str, np.ndarray]
    settings: SegmentationSettings

    @property
    def name(self) -> str:
        """Changes with the masks and with how networks are measured."""
        return fingerprint(fingerprint_masks(self.masks), fingerprint_code("evaluation/segmentation"))

    def __call__(self, network: nn.Module) -> dict[str, float]:
        """Mean Dice (`label_dice`) as ``test_dice``; nan where there is no mask."""
        fit, side = self.settings["fit"], self.settings["input_px"]
        device = device_of(fit["accelerator"])
        predicted = predict_masks(network, self.store, list(self.masks), side, fit["batch_size"], device)
        return {"test_dice": _mean([_dice(mask, self.masks[key]) for key, mask in predicted])}


@dataclass(frozen=True)
class TruthObserver:
    """Measures students and their pseudo-labels against masks that people drew (see `selftrain.Observer`).

    Attributes:
        masks: known masks at the network's size; those of the pool say how good pseudo-labels are.
    """

    test: TestDice
    lesson: Lesson
    masks: Mapping[str, np.ndarray]

    @property
    def name(self) -> str:
        """Changes with the truth and with how students are measured."""
        truth = {key: self.masks[key] for key in self.lesson.pool.ids if key in self.masks}
        return fingerprint(fingerprint_masks(truth), self.test.name)

    def __call__(self, student: Segmenter, pseudo: Mapping[str, np.ndarray]) -> dict[str, float]:
        """Mean Dice (`label_dice`) of a round; nan where there is no truth.

        Returns:
            ``test_dice`` at the radiographs' own size, ``validation_dice`` and ``pseudo_dice`` at the network's.
        """
        fit = self.test.settings["fit"]
        device = device_of(fit["accelerator"])
        known = {key: mask for key, mask in pseudo.items() if key in self.masks}
        return {
            **self.test(student),
            "validation_dice": mean_dice(student, self.lesson.validation, fit["batch_size"], device),
            "pseudo_dice": _mean([_dice(mask, self.masks[key]) for key, mask in known.items()]),
        }


def fingerprint_masks(masks: Mapping[str, np.ndarray]) -> str:
    """Names masks by id and content, in any order."""
    return fingerprint([(key, digest(np.asarray(masks[key]).tobytes())) for key in sorted(masks)])


def _with_masks(
    store: ImageStore, masks: Mapping[str, np.ndarray], ids: list[str], settings: SegmentationSettings
) -> MaskSamples:
    return MaskSamples(
        Pictures.of(store, ids, settings["input_px"]),
        {key: masks[key] for key in ids},
        dict.fromkeys(ids, 1.0),
        settings["epoch_samples"],
    )


def _dice(predicted: np.ndarray, truth: np.ndarray) -> float:
    return label_dice(torch.from_numpy(predicted)[None], torch.from_numpy(np.array(truth))[None]).item()


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
