"""What can be set about training; the values live in ``conf/*/parameters_*.yml``."""

from typing import Annotated, Literal, NotRequired

from typing_extensions import TypedDict

from boneage_kedro.limits import Count, NotNegative, PixelSide, Positive, Share, Within
from boneage_kedro.models.blocks import Block


class StageSettings(TypedDict):
    """A part of a training: how fast and how long, and how many epochs without gain end it."""

    name: str
    learning_rate: Positive
    max_epochs: Count
    patience: Annotated[int, Within(0)]


class PacedStage(StageSettings):
    """One step of paced transfer learning (paper 001, section 2.4), in which some blocks learn."""

    free: list[Block]


class MoveSettings(TypedDict):
    """Ranges of the random moves of a training picture; 0 switches one off.

    ``log_aspect`` is that of the logarithm of width over height: 0.3 makes a picture up to a third wider or higher.
    """

    rotation_deg: NotNegative
    shear_deg: NotNegative
    zoom: Share
    log_aspect: NotNegative
    shift: Share
    flip_probability: Share


class AugmentSettings(MoveSettings):
    """Ranges of the random moves and exposures of a training picture; 0 switches one off."""

    brightness: NotNegative
    contrast: NotNegative
    log_gamma: NotNegative


class FitSettings(TypedDict):
    """What all stages of one training share."""

    batch_size: Count
    optimiser: Literal["adamw", "rmsprop"]
    weight_decay: NotNegative
    schedule: Literal["constant", "cosine"]
    accelerator: Literal["auto", "cpu", "gpu"]
    precision: Literal["32-true", "bf16-mixed"]
    seed: int


class AgeFitSettings(FitSettings):
    """The fit of an age regressor."""

    loss: Literal["l1", "smooth_l1", "l2"]


class RegressionSettings(TypedDict):
    """The network, its start, and how it is trained; stages are given beside it."""

    cohort: Literal["all", "F", "M"]
    backbone: str
    initial_weights: Literal["pretrained", "random"]
    input_px: PixelSide
    dropout: Share
    fit: AgeFitSettings
    augment: AugmentSettings


class RegressionArm(TypedDict):
    """One way of training a regressor: what differs from the settings that all share.

    ``images`` are whole radiographs, those cut to the hand, or these enhanced; ``stages`` are those of
    ``ptl_regression``.
    """

    name: str
    images: Literal["whole", "hand", "enhanced"]
    cohort: Literal["all", "F", "M"]
    stages: Literal["ptl", "fine_tune"]


class MaskFitSettings(FitSettings):
    """The fit of a segmentation network."""

    loss: Literal["dice", "dice_ce"]


class SegmentationSettings(TypedDict):
    """A segmentation network, its start, and how it is trained.

    ``growth`` and ``layers`` are for fc_densenet alone (see `boneage_kedro.models.fc_densenet`).
    """

    architecture: str
    width: Count
    depth: Count
    reduction: Count
    growth: NotRequired[Count | None]
    layers: NotRequired[Count | None]
    initial_weights: str
    input_px: PixelSide
    epoch_samples: Count
    fit: MaskFitSettings
    augment: AugmentSettings


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


class NetworkChanges(TypedDict, total=False):
    """What an arm's network differs in (see `boneage_kedro.models.segmenter.SegmenterConfig`)."""

    initial_weights: str
    architecture: str
    width: Count
    depth: Count
    growth: Count | None
    layers: Count | None


class QueryArm(TypedDict):
    """One way of asking, or of doing without: what differs from the settings that all share."""

    name: str
    rule: QueryRule
    first_labels: Count
    labels: Count
    members: Count
    network: NotRequired[NetworkChanges]


class AssessSettings(TypedDict):
    """How new cases are read; the network brings its own preparation of pictures."""

    batch_size: Count
    workers: Count
    accelerator: Literal["auto", "cpu", "gpu"]
    overlay_px: PixelSide
    warn_difference_months: NotNegative
