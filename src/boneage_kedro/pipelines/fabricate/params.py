"""Parameters of `fabricate`."""

from typing_extensions import TypedDict


class Params(TypedDict):
    """How many phantoms, of what ages and size."""

    count: int
    min_age_months: float
    max_age_months: float
    male_share: float
    size_px: int
    seed: int
