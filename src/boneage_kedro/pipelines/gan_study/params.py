"""Parameters of `gan_study`."""

from typing_extensions import TypedDict

from boneage_kedro.training.enhancement.gan_settings import GanArm


class Params(TypedDict):
    """What is compared, and the seeds of the repetitions; all else is as in `gan_enhance`."""

    arms: list[GanArm]
    seeds: list[int]
