"""Ways of transfer learning that differ in what learns when, and in nothing else."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from typing_extensions import TypedDict

from boneage_kedro.limits import Count, Positive, Share
from boneage_kedro.models.blocks import BLOCKS, Block
from boneage_kedro.training.ages.settings import PacedStage, RegressorChanges

Cohort = Literal["all", "F", "M"]
Images = Literal["whole", "hand", "enhanced"]
"""Whole radiographs, those cut to the hand, and these enhanced."""


class Strategy(TypedDict):
    """A way of transfer learning: after which share of the epochs each block begins to learn; others never do."""

    name: str
    learns_after: dict[Block, Share]


class PacingSettings(TypedDict):
    """A comparison of strategies on cohorts, over seeds.

    All strategies train for ``epochs``, and in each epoch at the same rate, which falls from ``learning_rate`` along
    one cosine over all epochs, whatever learns. So the peak of the rate and its sum over steps are the same for all.
    """

    strategies: list[Strategy]
    cohorts: list[Cohort]
    seeds: list[int]
    epochs: Count
    learning_rate: Positive
    network: RegressorChanges


class PacingArm(TypedDict):
    """A strategy on pictures of a cohort."""

    name: str
    images: Images
    strategy: str
    cohort: Cohort


def pacing_arms(settings: PacingSettings, images: Sequence[Images] = ("whole",)) -> list[PacingArm]:
    """Every strategy on every cohort, cohort by cohort, on the first kind of images and then on the others."""
    return [
        PacingArm(
            name=_name(strategy["name"], cohort, kind), images=kind, strategy=strategy["name"], cohort=cohort
        )
        for kind in images
        for cohort in settings["cohorts"]
        for strategy in settings["strategies"]
    ]


def _name(strategy: str, cohort: Cohort, images: Images) -> str:
    return f"{strategy}, {cohort}" if images == "whole" else f"{strategy}, {cohort}, {images}"


def paced_stages(strategy: Strategy, epochs: int, learning_rate: float, study: str) -> list[PacedStage]:
    """The stages of a strategy; together they always have ``epochs``, as none ends before its time.

    A stage begins at the epoch next to its share, and is named by the blocks that it adds.

    Args:
        study: the parameter block of the strategy, for messages.

    Raises:
        ValueError: nothing learns in the first epoch, or a block only after the last.
    """
    starts = {block: round(share * epochs) for block, share in strategy["learns_after"].items()}
    firsts = sorted(set(starts.values()))
    if not firsts or firsts[0] != 0 or firsts[-1] >= epochs:
        raise ValueError(
            f"{study}.strategies: of {strategy['name']} the blocks begin to learn after {starts} of {epochs} "
            "epochs; the first must begin at 0, and all before the last epoch"
        )
    from_top = [block for block in reversed(BLOCKS) if block in starts]
    return [
        PacedStage(
            name="+".join(block for block in from_top if starts[block] == first),
            free=[block for block in from_top if starts[block] <= first],
            learning_rate=learning_rate,
            max_epochs=end - first,
            patience=epochs,
        )
        for first, end in pairwise([*firsts, epochs])
    ]
