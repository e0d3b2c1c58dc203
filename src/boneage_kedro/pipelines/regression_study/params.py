"""Parameters of `regression_study`."""

from boneage_kedro.training.ages.pacing import Images, PacingSettings


class Params(PacingSettings):
    """The factors of the ablation, of which all combinations are trained; all else is as in `ptl_regression`.

    The first of ``images`` and of ``strategies`` are what the others are compared with.
    """

    images: list[Images]
