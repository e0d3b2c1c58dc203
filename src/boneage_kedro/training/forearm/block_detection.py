"""Training and using the detector of the radius-ulna block (paper 002, section 3.2)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional as F

from boneage_kedro.evaluation.segmentation.detection import box_iou
from boneage_kedro.imaging.boxes import NO_BOX
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.models.block_detector import BlockDetector, DetectorConfig, places
from boneage_kedro.models.weights import PretrainedWeights, fingerprint_weights
from boneage_kedro.provenance import fingerprint, fingerprint_code
from boneage_kedro.training.forearm.block_samples import (
    BoxBatch,
    BoxSamples,
    augment_boxes,
    boxes_in_store,
    end_above,
)
from boneage_kedro.training.forearm.block_settings import BlockSettings
from boneage_kedro.training.loop import train
from boneage_kedro.training.progress import Checkpoint, EpochRecord
from boneage_kedro.training.seeding import derive_seed
from boneage_kedro.training.segmentation.samples import Pictures
from boneage_kedro.training.settings import StageSettings

_CODE = ("training/*", "training/segmentation", "training/forearm", "models")
_SPREAD = 0.15  # standard deviation of the heat about the centre, in parts of the block's sides
_LEAST_HEAT = 0.1  # places of less heat say nothing of the sides


@dataclass(frozen=True)
class Detection:
    """The likeliest block of a picture.

    Attributes:
        box: (4,) ``left, top, right, bottom`` in shares of the picture's sides; nan where there is none.
        confidence: 0 to 1, of the likeliest place, whether or not it is a block.
    """

    box: np.ndarray
    confidence: float


@dataclass(frozen=True)
class BlockTask:
    """A detector with its boxes (see `boneage_kedro.training.loop.Task`).

    The metric is the mean IoU; a picture without a block counts 1 if none was found, a missed block counts 0.

    Raises:
        ValueError: there is no box to learn from or no picture to validate with.
    """

    model: BlockDetector
    train: BoxSamples
    validation: BoxSamples
    settings: BlockSettings
    metric = "iou"
    higher_is_better = True

    def __post_init__(self) -> None:
        boxes = sum(not np.isnan(self.train.boxes[key]).any() for key in self.train.pictures.ids)
        if not boxes or not len(self.validation):
            raise ValueError(
                f"cannot train a detector with {boxes} boxes in training and {len(self.validation)} pictures in "
                "validation: each must be at least one; give more boxes of pictures that are in the store"
            )

    def begin_stage(self, stage: Any) -> None:
        """All layers learn in every stage."""
        self.model.train()

    def measured_on(self, stage: Any) -> None:
        """Nothing that changes from stage to stage."""

    def batch_count(self, batch_size: int) -> int:
        """Batches in an epoch."""
        return self.train.batch_count(batch_size)

    def batches(self, batch_size: int, device: torch.device, shuffle: torch.Generator) -> Iterator[BoxBatch]:
        """An epoch in random order."""
        return self.train.batches(batch_size, device, shuffle)

    def losses(self, network: Any, batch: BoxBatch, generator: torch.Generator) -> dict[str, Tensor]:
        """Loss and IoU of augmented pictures."""
        images, boxes = augment_boxes(batch.images, batch.boxes, self.settings, generator)
        logits, seen = network(images)
        return block_loss(logits, seen, boxes, heat_of(boxes, images))

    def validate(self, batch_size: int, device: torch.device) -> dict[str, float]:
        """Mean IoU on the validation part."""
        found = detect_blocks(
            self.model, self.validation.pictures, self.settings["threshold"], batch_size, device
        )
        return {"iou": float(np.mean([box_iou(one.box, self.validation.boxes[key]) for key, one in found]))}


def heat_of(boxes: Tensor, images: Tensor) -> Tensor:
    """Gaussians about the centres of boxes (B, 4), (B, H, W) in 0 to 1.

    It is 1 at the pixel that holds the centre alone; 0 everywhere without a box.
    """
    size = torch.tensor(images.shape[:1:-1], device=boxes.device)  # W, H
    centre = ((boxes[:, :2] + boxes[:, 2:]) / 2 * size).floor().clamp(max=size - 1) + 0.5
    spread = _SPREAD * (boxes[:, 2:] - boxes[:, :2])
    off = (places(images) - (centre / size)[:, None, None]) / spread[:, None, None]  # (B, H, W, 2)
    return (-0.5 * off.square().sum(3)).exp().nan_to_num(0)


def block_loss(logits: Tensor, boxes: Tensor, truth: Tensor, heat: Tensor) -> dict[str, Tensor]:
    """Focal loss of the heat map plus that of the boxes, whose logarithm of IoU is taken where it is warm.

    The former is that of CornerNet (Law and Deng 2018, arXiv 1808.01244, equation 1), a picture; the latter that of
    UnitBox (Yu et al. 2016, arXiv 1608.01471), weighted by the heat.

    Args:
        logits: (B, H, W) of being the centre.
        boxes: (B, H, W, 4) as each place sees the block.
        truth: (B, 4), nan without a block.
        heat: (B, H, W) as `heat_of` gives it.

    Returns:
        ``loss``, and the ``iou`` of the boxes weighted by the heat; 0 where no picture has a block.
    """
    centre = heat > 1 - 1e-4
    hit = -((1 - logits.sigmoid()) ** 2) * F.logsigmoid(logits)
    miss = -((1 - heat) ** 4) * logits.sigmoid() ** 2 * F.logsigmoid(-logits)
    focal = torch.where(centre, hit, miss).sum() / len(logits)
    weights = torch.where(heat > _LEAST_HEAT, heat, 0)
    overlap = _iou(boxes, truth.nan_to_num(0)[:, None, None])
    total = weights.sum().clamp_min(1e-6)
    sides = (weights * -overlap.clamp_min(1e-4).log()).sum() / total
    return {"loss": focal + sides, "iou": ((weights * overlap).sum() / total).detach()}


def _iou(boxes: Tensor, others: Tensor) -> Tensor:
    low, high = torch.maximum(boxes[..., :2], others[..., :2]), torch.minimum(boxes[..., 2:], others[..., 2:])
    both = (high - low).clamp_min(0).prod(-1)
    areas = [(b[..., 2:] - b[..., :2]).prod(-1) for b in (boxes, others)]
    return both / (areas[0] + areas[1] - both).clamp_min(1e-9)


def train_block_detector(
    store: ImageStore,
    blocks: pd.DataFrame,
    splits: Mapping[str, str],
    checkpoint: Checkpoint,
    settings: BlockSettings,
    stages: Sequence[StageSettings],
    pretrained: PretrainedWeights,
) -> tuple[BlockDetector, dict[str, Any], list[EpochRecord]]:
    """Train on the cases of the split ``train`` that have a box, keep the best epoch on ``validation``.

    Args:
        blocks: as `boneage_kedro.training.forearm.block_samples.boxes_in_store` takes them.
        splits: id -> name of the split.

    Returns:
        the network with its best weights; the plain values that `build_block_detector` needs beside them
        (``detector``, ``preparation`` of the pictures, ``threshold``); and the history.

    Raises:
        PretrainedWeightsMissing: the weights to begin with cannot be had.
        ValueError: they do not fit the network.
    """
    boxes = boxes_in_store(blocks, store)
    learning, validation = (
        BoxSamples(Pictures.of(store, ids, settings["input_px"]), boxes, settings["epoch_samples"])
        for ids in (
            [key for key in sorted(boxes) if splits.get(key) == part] for part in ("train", "validation")
        )
    )
    model = new_detector(settings, pretrained)
    task = BlockTask(model, learning, validation, settings)
    used = [[(key, boxes[key].tolist()) for key in part.pictures.ids] for part in (learning, validation)]
    pictures = store.fingerprint([key for part in used for key, _ in part])
    begun = fingerprint_weights(model.state_dict())
    named = fingerprint(pictures, used, list(stages), dict(settings), begun, fingerprint_code(*_CODE))
    history = train(task, stages, settings["fit"], checkpoint, named)
    described = {
        "detector": model.config.as_dict(),
        "preparation": store.header.preparation,
        "threshold": settings["threshold"],
    }
    return model, described, history


def new_detector(settings: BlockSettings, pretrained: PretrainedWeights) -> BlockDetector:
    """A detector before training: random weights from the seed, or those that ``initial_weights`` names."""
    torch.manual_seed(derive_seed(settings["fit"]["seed"], "block_detector"))
    model = BlockDetector(DetectorConfig(settings["input_px"], settings["width"], settings["depth"]))
    if settings["initial_weights"] != "random":
        pretrained.load_file(model, settings["initial_weights"], 0)
    return model


def build_block_detector(weights: Mapping[str, Tensor], settings: Mapping[str, Any]) -> BlockDetector:
    """A trained detector, in evaluation mode, from what was kept beside its weights."""
    model = BlockDetector(DetectorConfig(**settings["detector"]))
    model.load_state_dict(dict(weights))
    return model.eval()


@torch.inference_mode()
def detect_blocks(
    model: BlockDetector,
    pictures: Pictures,
    threshold: float,
    batch_size: int,
    device: torch.device,
    cut_above: Mapping[str, np.ndarray] | None = None,
) -> Iterator[tuple[str, Detection]]:
    """The block of each picture, one at a time.

    Args:
        threshold: below this confidence there is none.
        cut_above: boxes by id, in shares, above which these pictures are ended, to see that then nothing is found.

    Raises:
        FloatingPointError: the network gives values that are not finite; the message names the cases.
    """
    model.eval().to(device)
    for batch in pictures.batches(batch_size, device):
        tops = torch.tensor([(cut_above or {}).get(key, NO_BOX)[1] for key in batch.ids])
        yield from detect_in(model, end_above(batch.images, tops), batch.ids, threshold)


def detect_in(
    model: BlockDetector, images: Tensor, ids: Sequence[str], threshold: float
) -> Iterator[tuple[str, Detection]]:
    """The block of each picture of a batch (B, 1, H, W), as `detect_blocks` gives it."""
    boxes, confidences = model.detect(images)
    for key, box, confidence in zip(ids, boxes.cpu().double().numpy(), confidences.tolist(), strict=True):
        if not np.isfinite([*box, confidence]).all():
            raise FloatingPointError(
                f"the detector gives values that are not finite for the case {key}; look at its picture, or "
                "train the detector again at a lower learning rate"
            )
        yield key, Detection(box if confidence >= threshold else NO_BOX.copy(), confidence)
