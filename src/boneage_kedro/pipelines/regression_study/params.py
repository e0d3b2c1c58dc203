"""Parameters of `regression_study`."""

from typing_extensions import TypedDict

from boneage_kedro.training.settings import RegressionArm


class Params(TypedDict):
    """What is compared, and the seeds of the repetitions; all else is as in `ptl_regression`."""

    arms: list[RegressionArm]
    seeds: list[int]
