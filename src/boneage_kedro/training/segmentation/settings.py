"""What can be set about networks that draw masks; the values live in ``conf/*/parameters_*.yml``."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from boneage_kedro.limits import Count, PixelSide
from boneage_kedro.training.settings import AugmentSettings, FitSettings


class MaskFitSettings(FitSettings):
    """The fit of a segmentation network."""

    loss: Literal["dice", "dice_ce", "ce"]


class SegmenterSettings(TypedDict):
    """A segmentation network, its start, and how it is trained, at whatever size.

    ``growth`` and ``layers`` are for fc_densenet alone (see `boneage_kedro.models.fc_densenet`), ``head_channels`` is
    for fcn alone (see `boneage_kedro.models.fcn`).
    """

    architecture: str
    width: Count
    depth: Count
    reduction: Count
    growth: NotRequired[Count | None]
    layers: NotRequired[Count | None]
    head_channels: NotRequired[Count | None]
    initial_weights: str
    epoch_samples: Count
    fit: MaskFitSettings
    augment: AugmentSettings


class SegmentationSettings(SegmenterSettings):
    """The same, with the side of the pictures it is trained on."""

    input_px: PixelSide


class NetworkChanges(TypedDict, total=False):
    """What an arm's network differs in (see `boneage_kedro.models.segmenter.SegmenterConfig`)."""

    initial_weights: str
    architecture: str
    width: Count
    depth: Count
    growth: Count | None
    layers: Count | None
    head_channels: Count | None
