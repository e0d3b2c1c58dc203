"""What can be set about asking for masks; the values live in ``conf/*/parameters_hand_*.yml``."""

from typing import Annotated, Literal, NotRequired

from typing_extensions import TypedDict

from boneage_kedro.limits import Count, NotNegative, Share, Within
from boneage_kedro.training.segmentation.settings import NetworkChanges
from boneage_kedro.training.settings import StageSettings

QueryRule = Literal["qbc", "random", "entropy", "dice_disagreement"]


class FlatSettings(TypedDict):
    """When asking for more masks no longer pays: over so many ``rounds`` the committee's validation Dice rose by less
    than ``dice``, and its mean disagreement on the pool fell by less than the share ``disagreement``.

    0 rounds never stop.
    """

    rounds: Annotated[int, Within(0)]
    dice: NotNegative
    disagreement: Share


class QuerySettings(TypedDict):
    """Rounds in which a committee asks for masks (paper 001, section 2.2 and algorithm 1).

    ``members`` networks learn from the first ``first_labels`` masks; each round asks for ``per_round`` more, by
    ``rule``, until there are ``labels``. Of ``diversity_factor`` times as many as are wanted, those that lie far
    from each other are asked for; 1 takes the first of the ranking. ``validation_labels`` masks choose the best
    epoch. With ``labels: 0`` nothing is asked or learnt: a committee that was trained elsewhere is taken as it is.
    """

    members: Count
    first_labels: Count
    labels: Annotated[int, Within(0)]
    per_round: Count
    validation_labels: Count
    rule: QueryRule
    diversity_factor: Annotated[float, Within(1)]
    start: Literal["warm", "cold"]
    first_stage: StageSettings
    round_stage: StageSettings
    flat: FlatSettings


class QueryArm(TypedDict):
    """One way of asking, or of doing without: what differs from the settings that all share."""

    name: str
    rule: QueryRule
    first_labels: Count
    labels: Count
    members: Count
    network: NotRequired[NetworkChanges]
