"""Training and using a network for radius and ulna in pictures that are cut to the forearm (paper 002)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from boneage_kedro.evaluation.segmentation.class_scores import confusion, pixel_scores, score_pooled
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.masks.forearm.block import FOREARM_LABELS
from boneage_kedro.models.segmenter import Segmenter
from boneage_kedro.provenance import fingerprint, fingerprint_code
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.device import device_of
from boneage_kedro.training.loop import train
from boneage_kedro.training.losses import segmentation_loss
from boneage_kedro.training.segmentation.lesson import MaskedData, make_lesson
from boneage_kedro.training.segmentation.network_training import (
    SegmentationTask,
    new_segmenter,
    predict_masks,
)
from boneage_kedro.training.segmentation.overlap import label_dice, most_likely
from boneage_kedro.training.segmentation.settings import SegmentationSettings
from boneage_kedro.training.settings import FitSettings, StageSettings

_CODE = ("training/*", "training/segmentation", "training/forearm", "models", "evaluation/segmentation")
BONES = tuple(FOREARM_LABELS)


@dataclass(frozen=True)
class ForearmTask(SegmentationTask):
    """A segmentation whose history has the loss and the scores of each bone, too (paper 002, figures 8 and 9)."""

    @torch.inference_mode()
    def validate(self, batch_size: int, device: torch.device) -> dict[str, float]:
        """Mean Dice, cross entropy as ``loss``, so that all networks compare, and `pixel_scores` of all pixels."""
        self.model.eval()
        counts = np.zeros((len(BONES) + 1,) * 2, np.int64)
        losses, overlaps = [], []
        for batch in self.validation.pictures.batches(batch_size, device):
            truth = np.stack([self.validation.masks[key] for key in batch.ids])
            target = torch.from_numpy(truth).to(device)
            logits = self.model(batch.images).float()
            found = most_likely(logits)
            weights = torch.ones(len(batch.ids), device=device)
            losses += [segmentation_loss(logits, target, weights, "ce")["loss"].item()] * len(batch.ids)
            overlaps += label_dice(found, target).tolist()
            counts += confusion(found.cpu().numpy().astype(np.uint8), truth, len(counts))
        scores = pixel_scores(counts, BONES)
        return {"dice": float(np.mean(overlaps)), "loss": float(np.mean(losses)), **scores}


def train_forearm_segmenter(
    data: MaskedData,
    network: SegmentationSettings,
    stages: Sequence[StageSettings],
    labelled: int,
    checkpoint: CheckpointFile,
) -> tuple[Segmenter, dict[str, Any], pd.DataFrame]:
    """Train on pictures that are cut to the forearm, keep the epoch of the best validation Dice.

    Args:
        data: ``images`` are the cut ones.
        labelled: so many of the training pictures are used, drawn by the seed; 0 for all.

    Returns:
        the network; plain values that `build_segmenter` needs beside its weights; and a row an epoch, with the
        ``iteration`` it ended with (batches so far) and the number of ``labels``.
    """
    fit = network["fit"]
    lesson = make_lesson(data.images, data.splits, data.masks, network, labelled, fit["seed"])
    model = new_segmenter(network, data.classes, data.pretrained)
    task = ForearmTask(model, lesson.labelled, lesson.validation, fit["loss"], network["augment"])
    code = fingerprint_code(*_CODE)
    history = train(
        task, stages, fit, checkpoint, fingerprint(lesson.name, dict(network), list(stages), code)
    )
    table = pd.DataFrame(history).drop(columns="seconds")  # which would differ from run to run
    table["iteration"] = (table["epoch"] + 1) * task.batch_count(fit["batch_size"])
    described = {"segmenter": model.config.as_dict(), "input_px": network["input_px"]}
    return model, described, table.assign(labels=len(lesson.labelled))


def predict_forearms(
    model: Segmenter, images: ImageStore, forearms: ImageStore, ids: Sequence[str], fit: FitSettings
) -> Iterator[tuple[str, np.ndarray]]:
    """Radius and ulna in the frame and at the size of each radiograph, (H, W) uint8 of `FOREARM_LABELS`.

    Args:
        images: the whole radiographs.
        forearms: the same, cut; where no forearm was found the mask is empty.
    """
    for key in ids:
        if key not in forearms:
            yield key, np.zeros(images.record(key)["source_shape"], np.uint8)
    cut = [key for key in ids if key in forearms]
    device = device_of(fit["accelerator"])
    yield from predict_masks(model, forearms, cut, model.config.input_px, fit["batch_size"], device)


def score_on_test(
    model: Segmenter,
    images: ImageStore,
    forearms: ImageStore,
    test: Mapping[str, np.ndarray],
    fit: FitSettings,
) -> dict[str, float]:
    """`pixel_scores` of the test part at the radiographs' own size, all pixels taken together; decides nothing."""
    found = dict(predict_forearms(model, images, forearms, list(test), fit))
    return {f"test_{name}": value for name, value in score_pooled(found, test, BONES).items()}
