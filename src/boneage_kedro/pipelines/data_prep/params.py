"""Parameters of `data_prep`."""

from typing_extensions import TypedDict

from boneage_kedro.imaging.preparation import PreparationSettings


class SplitSettings(TypedDict):
    """The shares of the cases, the width of an age stratum, and the seed."""

    fractions: dict[str, float]
    age_band_months: float
    seed: int


class Params(TypedDict):
    """What counts as a good case, how pictures are prepared, and how the cohort is split."""

    source_name: str
    strict: bool
    min_age_months: float
    max_age_months: float
    workers: int
    preparation: PreparationSettings
    splits: SplitSettings
    sheet_cases: int
    sheet_columns: int
