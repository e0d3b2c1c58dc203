"""Parameters of `explain`."""

from typing_extensions import TypedDict

from boneage_kedro.evaluation.attention.checks import CheckSettings
from boneage_kedro.limits import Count, NotNegative, PixelSide, Share


class PanelSettings(TypedDict):
    """Cases read well, with an absolute error ``below_months``, and badly, ``above_months``: ``columns`` a sex."""

    below_months: NotNegative
    above_months: NotNegative
    columns: Count


class FrameSettings(TypedDict):
    """The square in which mean hands are drawn: ``margin`` and ``below`` are kept free on its sides and under the
    joints, as shares of ``side_px``; ``edges_years`` part the bands of age.
    """

    side_px: PixelSide
    margin: Share
    below: Share
    edges_years: list[float]


class Params(TypedDict):
    """How many cases are drawn, when a map counts as exact, and how the maps are checked."""

    sheet_cases: Count
    sheet_columns: Count
    tolerance_months: NotNegative
    panels: PanelSettings
    checks: CheckSettings
    frame: FrameSettings
