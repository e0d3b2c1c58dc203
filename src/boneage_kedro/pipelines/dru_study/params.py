"""Parameters of `dru_study`."""

from typing_extensions import TypedDict

from boneage_kedro.training.forearm.settings import ForearmArm


class Params(TypedDict):
    """What is compared, and the seeds of the repetitions; all else is as in `dru_segmentation`."""

    arms: list[ForearmArm]
    seeds: list[int]
