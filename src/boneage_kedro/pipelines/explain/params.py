"""Parameters of `explain`."""

from typing_extensions import TypedDict

from boneage_kedro.limits import Count, NotNegative


class Params(TypedDict):
    """How many cases are drawn, and when a map counts as exact."""

    sheet_cases: Count
    sheet_columns: Count
    tolerance_months: NotNegative
