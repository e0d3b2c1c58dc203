"""Parameters of `fabricate`."""

from typing import Annotated, Literal

from typing_extensions import TypedDict

from boneage_kedro.limits import Count, Share, Within

Age = Annotated[float, Within(1, 228)]
Size = Annotated[int, Within(64, 4096)]


class Params(TypedDict):
    """How many phantoms, of what ages and size."""

    count: Count
    min_age_months: Age
    max_age_months: Age
    ages: Literal["uniform", "year_groups"]
    male_share: Share
    min_size_px: Size
    max_size_px: Size
    seed: int
