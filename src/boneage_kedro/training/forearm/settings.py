"""What can be set about radius and ulna; the values live in ``conf/*/parameters_dru_*.yml``."""

from typing import Annotated, Literal, NotRequired

from typing_extensions import TypedDict

from boneage_kedro.limits import Within
from boneage_kedro.training.segmentation.settings import NetworkChanges, SegmenterSettings
from boneage_kedro.training.settings import StageSettings


class ForearmPreset(TypedDict):
    """A network for radius and ulna and how it is trained.

    ``rates_are_for`` says what learning rates and weight decay are meant for: the loss as it is here, a mean over
    pixels, or Caffe's sum over them (`boneage_kedro.training.optimisers.rate_for_mean_loss`).
    """

    network: SegmenterSettings
    rates_are_for: Literal["mean_loss", "summed_loss"]
    stages: list[StageSettings]


class ForearmArm(TypedDict):
    """One way of training: a preset, how many training pictures it has (0 for all), and what else differs."""

    name: str
    preset: str
    labelled: Annotated[int, Within(0)]
    network: NotRequired[NetworkChanges]
