"""Parameters of `hand_study`."""

from typing_extensions import TypedDict

from boneage_kedro.training.hands.settings import QueryArm


class Params(TypedDict):
    """What is compared, and the seeds of the repetitions; all else is as in `hand_active_learning`."""

    arms: list[QueryArm]
    seeds: list[int]
