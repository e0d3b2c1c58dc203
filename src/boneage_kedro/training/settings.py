"""What can be set about any training; the values live in ``conf/*/parameters_*.yml``."""

from typing import Annotated, Literal, NotRequired

from typing_extensions import TypedDict

from boneage_kedro.limits import Count, NotNegative, Positive, Share, Within


class StageSettings(TypedDict):
    """A part of a training: how fast and how long, and how many epochs without gain end it."""

    name: str
    learning_rate: Positive
    max_epochs: Count
    patience: Annotated[int, Within(0)]


class MoveSettings(TypedDict):
    """Ranges of the random moves of a training picture; 0 switches one off.

    ``log_aspect`` is that of the logarithm of width over height: 0.3 makes a picture up to a third wider or higher.
    """

    rotation_deg: NotNegative
    shear_deg: NotNegative
    zoom: Share
    log_aspect: NotNegative
    shift: Share
    flip_probability: Share


class AugmentSettings(MoveSettings):
    """Ranges of the random moves and exposures of a training picture; 0 switches one off."""

    brightness: NotNegative
    contrast: NotNegative
    log_gamma: NotNegative


class FitSettings(TypedDict):
    """What all stages of one training share.

    ``momentum`` is for ``sgd`` alone (see `boneage_kedro.training.optimisers`). With ``cosine`` the rate falls within
    each stage and begins anew with the next, with ``cosine_overall`` it falls once, over all stages together, which
    then go on from each other's last weights.
    """

    batch_size: Count
    optimiser: Literal["adamw", "rmsprop", "sgd"]
    momentum: NotRequired[Annotated[float, Within(0, 0.9999)] | None]
    weight_decay: NotNegative
    schedule: Literal["constant", "cosine", "cosine_overall"]
    accelerator: Literal["auto", "cpu", "gpu"]
    precision: Literal["32-true", "bf16-mixed"]
    seed: int
