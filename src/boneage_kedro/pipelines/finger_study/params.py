"""Parameters of `finger_study`."""

from typing_extensions import TypedDict

from boneage_kedro.training.fingers.settings import Arm


class Params(TypedDict):
    """What is compared, and the seeds of the repetitions; all else is as in `finger_selftrain`."""

    arms: list[Arm]
    seeds: list[int]
