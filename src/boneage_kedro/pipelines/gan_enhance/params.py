"""Parameters of `gan_enhance`."""

from typing_extensions import TypedDict

from boneage_kedro.imaging.contrast.enhancement import BaselineSettings
from boneage_kedro.limits import Count
from boneage_kedro.training.enhancement.gan_settings import (
    GanSettings,
    GuardSettings,
    PairSettings,
    TileSettings,
)


class Params(TypedDict):
    """What the enhancer learns from and how, what it is held against, and what its pictures must keep."""

    pairs: PairSettings
    gan: GanSettings
    tiles: TileSettings
    baselines: BaselineSettings
    guard: GuardSettings
    offered_cases: Count
    graded_cases: Count
    sheet_cases: Count
    sheet_columns: Count
