"""Parameters of `ptl_regression`."""

from boneage_kedro.limits import Positive
from boneage_kedro.training.settings import RegressionSettings, StageSettings


class Params(RegressionSettings):
    """The network, its two ways of training, and how errors are tabulated."""

    ptl_stages: list[StageSettings]
    fine_tune_stages: list[StageSettings]
    age_band_months: Positive
