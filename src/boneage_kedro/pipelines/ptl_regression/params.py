"""Parameters of `ptl_regression`."""

from boneage_kedro.limits import Positive
from boneage_kedro.training.settings import PacedStage, RegressionSettings


class Params(RegressionSettings):
    """The network, its two ways of training, and how errors are tabulated."""

    ptl_stages: list[PacedStage]
    fine_tune_stages: list[PacedStage]
    age_band_months: Positive
