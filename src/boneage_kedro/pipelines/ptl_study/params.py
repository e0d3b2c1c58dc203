"""Parameters of `ptl_study`."""

from boneage_kedro.training.ages.pacing import PacingSettings


class Params(PacingSettings):
    """What is compared; all else is as in `ptl_regression`."""
