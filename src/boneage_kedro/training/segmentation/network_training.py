"""Training and using a segmentation network."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.masks.label_maps import probabilities_to_source
from boneage_kedro.models.segmenter import Segmenter, SegmenterConfig
from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.training.augment import augment_pair
from boneage_kedro.training.losses import segmentation_loss
from boneage_kedro.training.seeding import derive_seed
from boneage_kedro.training.segmentation.overlap import label_dice, most_likely
from boneage_kedro.training.segmentation.samples import MaskBatch, MaskSamples, PictureBatch, Pictures
from boneage_kedro.training.segmentation.settings import SegmentationSettings
from boneage_kedro.training.settings import AugmentSettings


@dataclass(frozen=True)
class SegmentationTask:
    """A segmentation network with its masks (see `boneage_kedro.training.loop.Task`).

    Raises:
        ValueError: there is no mask to learn from or to validate with.
    """

    model: Segmenter
    train: MaskSamples
    validation: MaskSamples
    loss: str
    augment: AugmentSettings
    metric = "dice"
    higher_is_better = True

    def __post_init__(self) -> None:
        if not len(self.train) or not len(self.validation):
            raise ValueError(
                f"cannot train with {len(self.train)} training and {len(self.validation)} validation masks: each "
                "must be at least one; give more masks, or change data_prep.splits.fractions"
            )

    def begin_stage(self, stage: Any) -> None:
        """All layers learn in every stage."""
        self.model.train()

    def measured_on(self, stage: Any) -> None:
        """Nothing that changes from stage to stage."""

    def batch_count(self, batch_size: int) -> int:
        """Batches in an epoch."""
        return self.train.batch_count(batch_size)

    def batches(self, batch_size: int, device: torch.device, shuffle: torch.Generator) -> Iterator[MaskBatch]:
        """An epoch in random order."""
        return self.train.batches(batch_size, device, shuffle)

    def losses(self, network: Any, batch: MaskBatch, generator: torch.Generator) -> dict[str, Tensor]:
        """Loss and Dice of augmented pictures."""
        images, masks = augment_pair(batch.images, batch.masks, self.augment, generator)
        return segmentation_loss(network(images), masks, batch.weights, self.loss)

    def validate(self, batch_size: int, device: torch.device) -> dict[str, float]:
        """Mean Dice on the validation part, at the network's size."""
        return {"dice": mean_dice(self.model, self.validation, batch_size, device)}


def new_segmenter(
    settings: SegmentationSettings, classes: int, pretrained: PretrainedWeights, member: int = 0
) -> Segmenter:
    """A network before training: random weights from the seed, or those that ``initial_weights`` names.

    If these are of a committee, ``member`` says of which of its networks.

    Raises:
        ValueError: ImageNet weights are asked for a network without a timm encoder, or a file does not fit.
        PretrainedWeightsMissing: the weights cannot be had.
    """
    start, name = settings["initial_weights"], settings["architecture"]
    shape = settings["width"], settings["depth"], settings["reduction"]
    own = settings.get("growth"), settings.get("layers"), settings.get("head_channels")
    config = SegmenterConfig(name, settings["input_px"], classes, *shape, *own)
    torch.manual_seed(derive_seed(settings["fit"]["seed"], "segmenter"))
    model = Segmenter(config)
    if start == "imagenet":
        if model.encoder is None:
            raise ValueError(
                f"there are no ImageNet weights for architecture {name!r}; use a timm encoder or fcn"
            )
        pretrained.load_into(model.encoder, model.encoder_name)
    elif start != "random":
        pretrained.load_file(model, start, member)
    return model.to(memory_format=torch.channels_last)  # a fifth faster on CPUs, and what GPUs want


def build_segmenter(weights: Mapping[str, Tensor], settings: Mapping[str, Any]) -> Segmenter:
    """A trained network, in evaluation mode, from what was kept beside its weights."""
    model = Segmenter(SegmenterConfig(**settings["segmenter"]))
    model.load_state_dict(dict(weights))
    return model.to(memory_format=torch.channels_last).eval()


@torch.inference_mode()
def predict(
    model: nn.Module, pictures: Pictures, batch_size: int, device: torch.device
) -> Iterator[tuple[PictureBatch, Tensor]]:
    """Pictures with their class probabilities (B, K, P, P), batch by batch, on ``device``.

    Raises:
        FloatingPointError: the network gives values that are not finite; the message names the cases.
    """
    model.eval().to(device)
    for batch in pictures.batches(batch_size, device):
        yield batch, probabilities(model, batch)


def probabilities(model: nn.Module, batch: PictureBatch) -> Tensor:
    """Class probabilities (B, K, P, P) of a batch, checked as `predict` says."""
    return require_finite(model(batch.images).softmax(1), batch.ids)


def require_finite(found: Tensor, ids: Sequence[str]) -> Tensor:
    """What a segmentation network gives for some cases, (B, ...), as it is.

    Raises:
        FloatingPointError: some of it is not finite; the message names the cases.
    """
    whole = found.isfinite().flatten(1).all(1)
    if not whole.all():
        bad = [key for key, good in zip(ids, whole.tolist(), strict=True) if not good]
        raise FloatingPointError(
            f"the segmentation network gives values that are not finite for the cases {', '.join(bad)}; "
            "look at these pictures, or train the network again at a lower learning rate"
        )
    return found


def check_preparation(settings: Mapping[str, Any], images: ImageStore) -> None:
    """See that a network and a store of pictures belong together.

    Raises:
        ValueError: the pictures were prepared in another way than those the network has learnt from.
    """
    if settings["preparation"] != images.header.preparation:
        raise ValueError(
            "pictures are prepared in another way (data_prep.preparation) than those the segmentation network has "
            "learnt from; run its pipeline as a whole"
        )


def mean_dice(model: nn.Module, samples: MaskSamples, batch_size: int, device: torch.device) -> float:
    """Mean Dice of the network's masks, at its own size."""
    found: list[Tensor] = []
    for batch, shares in predict(model, samples.pictures, batch_size, device):
        truth = torch.from_numpy(np.stack([samples.masks[key] for key in batch.ids])).to(device)
        found.append(label_dice(most_likely(shares), truth))
    return float(torch.cat(found).mean())


def predict_masks(
    model: nn.Module,
    store: ImageStore,
    ids: Sequence[str],
    input_px: int,
    batch_size: int,
    device: torch.device,
) -> Iterator[tuple[str, np.ndarray]]:
    """Masks in the frame and at the size of each source picture, (H, W) uint8 class codes, one at a time."""
    for batch, shares in predict(model, Pictures.of(store, ids, input_px), batch_size, device):
        for key, mine in zip(batch.ids, shares.cpu().numpy(), strict=True):
            yield key, probabilities_to_source(mine, *store.frame(key, input_px))
