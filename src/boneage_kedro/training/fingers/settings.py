"""What can be set about self-training; the values live in ``conf/*/parameters_finger_*.yml``."""

from typing import Annotated, Literal

from typing_extensions import TypedDict

from boneage_kedro.limits import Count, Positive, Within
from boneage_kedro.training.settings import StageSettings


class SelfTrainSettings(TypedDict):
    """Rounds in which a student learns from its own refined predictions (paper 000, section III.B).

    ``selection`` ranks the pool: by the Dice between the teacher's input and output (the paper), at random (the
    paper's control), by the student's confidence, or takes nothing. ``teacher`` says whether the pseudo-labels
    are what the dense CRF makes of the predictions or the predictions themselves. Of every ranking those pictures
    are left out whose predicted area is not within ``area_slack`` times that of the labelled ones.
    """

    rounds: Annotated[int, Within(0)]
    per_round: Count
    selection: Literal["top_dice", "random", "confidence", "none"]
    teacher: Literal["crf", "none"]
    start: Literal["warm", "cold"]
    pseudo_labels: Literal["frozen", "refreshed"]
    pseudo_weight: Positive
    area_slack: Annotated[float, Within(1)]
    first_stage: StageSettings
    round_stage: StageSettings


class Arm(TypedDict):
    """One way of training: what differs from the settings that all share.

    ``labelled`` is the number of training pictures whose masks are used, 0 for all; ``selection: none`` gives the
    baseline that goes on learning from these alone, for as long as the others.
    """

    name: str
    labelled: Annotated[int, Within(0)]
    selection: Literal["top_dice", "random", "confidence", "none"]
    teacher: Literal["crf", "none"]
    initial_weights: str
