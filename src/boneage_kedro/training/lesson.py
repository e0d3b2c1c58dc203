"""What a segmentation network learns from and is judged by: masks and pictures, sorted by the one split."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from boneage_kedro.evaluation.segmentation import dice
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.models.segmenter import Segmenter
from boneage_kedro.provenance import digest, fingerprint
from boneage_kedro.training.mask_samples import MaskSamples, Pictures
from boneage_kedro.training.segmentation import mean_dice, predict_masks
from boneage_kedro.training.settings import SegmentationSettings


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
            f"{labelled} labelled pictures are asked for, and {len(with_mask)} of the training part have a mask; "
            "lower `labelled` in the parameters, or bring more masks"
        )
    drawn = np.random.default_rng(seed).permutation(len(with_mask))[: labelled or None]
    chosen = sorted(with_mask[i] for i in drawn)
    pool = sorted(set(training) - set(chosen))
    validation = sorted(key for key in masks if part_of.get(key) in {"validation", "calibration"})
    name = fingerprint(
        [(key, digest(masks[key].tobytes())) for key in chosen + validation],
        store.fingerprint(chosen + validation + pool),
    )
    return Lesson(
        _with_masks(store, masks, chosen, settings),
        _with_masks(store, masks, validation, settings),
        Pictures.of(store, pool, settings["input_px"]),
        name,
    )


def make_observer(
    store: ImageStore,
    lesson: Lesson,
    masks: Mapping[str, np.ndarray],
    test: Mapping[str, np.ndarray],
    settings: SegmentationSettings,
    device: torch.device,
) -> Callable[[Segmenter, Mapping[str, np.ndarray]], dict[str, float]]:
    """A function that measures a student and its pseudo-labels against the truth; it decides nothing.

    Args:
        masks: the known masks at the network's size; those of the pool say how good pseudo-labels are.
        test: masks of the test part at the size of their radiographs.

    Returns:
        A function of the student and the pseudo-labels to ``test_dice`` (at the radiographs' own size),
        ``validation_dice`` and ``pseudo_dice`` (at the network's size); nan where there is no truth.
    """

    def observe(student: Segmenter, pseudo: Mapping[str, np.ndarray]) -> dict[str, float]:
        batch, side = settings["fit"]["batch_size"], settings["input_px"]
        predicted = predict_masks(student, store, list(test), side, batch, device)
        return {
            "test_dice": _mean([dice(mask > 0, test[key] > 0) for key, mask in predicted]),
            "validation_dice": mean_dice(student, lesson.validation, batch, device),
            "pseudo_dice": _mean([dice(mask > 0, masks[k] > 0) for k, mask in pseudo.items() if k in masks]),
        }

    return observe


def _with_masks(
    store: ImageStore, masks: Mapping[str, np.ndarray], ids: list[str], settings: SegmentationSettings
) -> MaskSamples:
    return MaskSamples(
        Pictures.of(store, ids, settings["input_px"]),
        {key: masks[key] for key in ids},
        dict.fromkeys(ids, 1.0),
        settings["epoch_samples"],
    )


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
