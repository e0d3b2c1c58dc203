"""Parameters of `explain`."""

from typing_extensions import TypedDict


class Params(TypedDict):
    """How many cases are drawn, and when a map counts as exact."""

    sheet_cases: int
    sheet_columns: int
    tolerance_months: float
