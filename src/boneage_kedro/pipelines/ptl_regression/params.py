"""Parameters of `ptl_regression`."""

from boneage_kedro.evaluation.ages.intervals import IntervalSettings
from boneage_kedro.limits import Positive, Share
from boneage_kedro.training.ages.pacing import Images
from boneage_kedro.training.ages.settings import (
    FamiliaritySettings,
    FoldSettings,
    PacedStage,
    RegressionSettings,
)


class Params(RegressionSettings):
    """The network, its two ways of training, what is learnt of its reliability, and how errors are tabulated.

    ``images`` are the pictures that the network reads, from its training on to those of new files.
    ``least_band_coverage`` is the share of read ages that the intervals of an age band are to hold at least; it is
    drawn beside what they hold.
    """

    images: Images
    folds: FoldSettings
    ptl_stages: list[PacedStage]
    fine_tune_stages: list[PacedStage]
    intervals: IntervalSettings
    familiarity: FamiliaritySettings
    age_band_months: Positive
    least_band_coverage: Share
