"""Parameters of `bonet`."""

from boneage_kedro.limits import Positive
from boneage_kedro.training.ages.settings import BonetArm, CrossValidation, PacedStage, RegressionSettings


class Params(RegressionSettings):
    """The baseline's network and training, the arms that differ from it, and their folds.

    ``age_band_months`` is the width of the rows of the table of errors.
    """

    stage: PacedStage
    arms: list[BonetArm]
    cross_validation: CrossValidation
    age_band_months: Positive
