"""Parameters of `data_prep`."""

from typing import Literal

from typing_extensions import TypedDict

from boneage_kedro.imaging.preparation.prepare import PreparationSettings
from boneage_kedro.limits import Count, NotNegative, Positive, Share


class SplitSettings(TypedDict):
    """The shares of the cases, the width of an age stratum, the seed, and a run that may have the same cases.

    Cases of the run ``keep_from`` keep their part here, or with ``shared_cases: leave_out`` are not used at all.
    """

    fractions: dict[Literal["train", "validation", "calibration", "test"], Share]
    age_band_months: Positive
    seed: int
    keep_from: str
    shared_cases: Literal["keep", "leave_out"]


class Params(TypedDict):
    """What counts as a good case, how pictures are prepared, and how the cohort is split."""

    source_name: str
    strict: bool
    min_age_months: NotNegative
    max_age_months: NotNegative
    workers: Count
    preparation: PreparationSettings
    splits: SplitSettings
    sheet_cases: Count
    sheet_columns: Count
