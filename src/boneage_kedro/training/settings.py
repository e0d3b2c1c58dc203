"""What can be set about training; the values live in ``conf/*/parameters_*.yml``."""

from typing import Annotated, Literal

from typing_extensions import TypedDict

from boneage_kedro.limits import Count, NotNegative, PixelSide, Positive, Share, Within
from boneage_kedro.models.blocks import Block


class StageSettings(TypedDict):
    """A part of a training: how fast and how long, and how many epochs without gain end it."""

    name: str
    learning_rate: Positive
    max_epochs: Count
    patience: Annotated[int, Within(0)]


class PacedStage(StageSettings):
    """One step of paced transfer learning (paper 001, section 2.4), in which some blocks learn."""

    free: list[Block]


class AugmentSettings(TypedDict):
    """Ranges of the random changes to a training picture; 0 switches one off."""

    rotation_deg: NotNegative
    shear_deg: NotNegative
    zoom: Share
    shift: Share
    flip_probability: Share
    brightness: NotNegative
    contrast: NotNegative
    log_gamma: NotNegative


class FitSettings(TypedDict):
    """What all stages of one training share."""

    batch_size: Count
    optimiser: Literal["adamw", "rmsprop"]
    weight_decay: NotNegative
    schedule: Literal["constant", "cosine"]
    accelerator: Literal["auto", "cpu", "gpu"]
    precision: Literal["32-true", "bf16-mixed"]
    seed: int


class AgeFitSettings(FitSettings):
    """The fit of an age regressor."""

    loss: Literal["l1", "smooth_l1", "l2"]


class RegressionSettings(TypedDict):
    """The network, its start, and how it is trained; stages are given beside it."""

    cohort: Literal["all", "F", "M"]
    backbone: str
    initial_weights: Literal["pretrained", "random"]
    input_px: PixelSide
    dropout: Share
    fit: AgeFitSettings
    augment: AugmentSettings


class AssessSettings(TypedDict):
    """How new cases are read; the network brings its own preparation of pictures."""

    batch_size: Count
    workers: Count
    accelerator: Literal["auto", "cpu", "gpu"]
    overlay_px: PixelSide
    warn_difference_months: NotNegative
