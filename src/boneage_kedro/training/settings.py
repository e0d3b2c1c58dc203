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
    """One step of paced transfer learning (paper 001, section 2.4), in which some blocks learn.

    ``input_px`` is the side of its pictures where it is another than the network's own: early epochs cost less on
    smaller pictures.
    """

    free: list[Block]
    input_px: NotRequired[PixelSide]


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


class AgeAugmentSettings(AugmentSettings):
    """Ranges of what a training picture of an age regressor goes through; 0 switches one off.

    Each of the four sides on its own loses up to ``crop`` of the picture's side or gets up to ``margin`` of black,
    and what is then there is squashed into the square. An exposure window as of a careless export makes up to
    ``window_low`` of the gray scale black and up to ``window_high`` white. ``blur_px`` and ``noise_sd`` are the
    largest standard deviations, in pixels of the network's input and in parts of the gray scale; ``cutout`` is the
    largest part of a side of a black rectangle.
    """

    crop_probability: Share
    crop: Annotated[float, Within(0, 0.4)]
    margin: Share
    window_probability: Share
    window_low: Annotated[float, Within(0, 0.45)]
    window_high: Annotated[float, Within(0, 0.45)]
    invert_probability: Share
    blur_px: NotNegative
    noise_sd: NotNegative
    cutout_probability: Share
    cutout: Share


class FitSettings(TypedDict):
    """What all stages of one training share.

    ``momentum`` is for ``sgd`` alone (see `boneage_kedro.training.optimisers`). With ``cosine`` the rate falls within
    each stage and begins anew with the next, with ``cosine_overall`` it falls once, over all stages together, which
    then go on from each other's last weights.
    """

    batch_size: Count
    optimiser: Literal["adamw", "rmsprop", "sgd"]
    momentum: NotRequired[Annotated[float, Within(0, 0.9999)] | None]
    weight_decay: NotNegative
    schedule: Literal["constant", "cosine", "cosine_overall"]
    accelerator: Literal["auto", "cpu", "gpu"]
    precision: Literal["32-true", "bf16-mixed"]
    seed: int


class AgeFitSettings(FitSettings):
    """The fit of an age regressor.

    ``ema_decay`` is that of the running mean of the weights which is validated and kept (see
    `boneage_kedro.training.averaging`); 0 keeps the weights themselves.
    """

    loss: Literal["l1", "smooth_l1", "l2"]
    ema_decay: Annotated[float, Within(0, 0.99999)]
    memory_format: Literal["contiguous", "channels_last"]


class HeadSettings(TypedDict):
    """How an age comes from the pooled features.

    ``linear`` is a linear function. ``expectation`` is the mean of a distribution over ages ``bin_months`` apart,
    which learns from Gaussians of ``label_sd_months`` about the read ages, too: their divergence counts
    ``label_weight`` beside the loss of the age in years. The last three are for ``expectation`` alone.
    """

    kind: Literal["linear", "expectation"]
    bin_months: Positive
    label_sd_months: Positive
    label_weight: NotNegative


class ViewSettings(TypedDict):
    """In which views a picture is read; their ages are averaged.

    It is turned by each of ``rotations_deg`` and, with ``flip``, mirrored in each of them as well. ``flip: false``
    and ``rotations_deg: [0]`` read it as it is.
    """

    flip: bool
    rotations_deg: list[float]


FrozenStatistics = Literal["keep", "update"]


class RegressionSettings(TypedDict):
    """The network, its start, and how it is trained and used; stages are given beside it.

    ``initial_weights`` are ``random``, ``pretrained`` (those of the backbone, of a BoNet those of the layers that
    another network lends), or the name of an earlier training
    (see `boneage_kedro.models.weights.PretrainedWeights.read_run`). ``frozen_statistics`` says whether BatchNorm of a
    frozen block keeps its means and variances or goes on following the pictures. Of each band of
    ``balance_band_months`` of read age an epoch shows the same number of pictures; 0 shows every picture once.
    """

    cohort: Literal["all", "F", "M"]
    backbone: str
    initial_weights: str
    input_px: PixelSide
    dropout: Share
    head: HeadSettings
    frozen_statistics: FrozenStatistics
    balance_band_months: NotNegative
    fit: AgeFitSettings
    augment: AgeAugmentSettings
    views: ViewSettings


class SharpnessSettings(TypedDict, total=False):
    """What takes sharpness from training pictures (see `AgeAugmentSettings`)."""

    blur_px: NotNegative
    noise_sd: NotNegative


class FoldVariant(TypedDict, total=False):
    """What the networks of a variant differ in (see `RegressionSettings`)."""

    initial_weights: str
    augment: SharpnessSettings


class FoldSettings(TypedDict):
    """``count`` networks, each trained without one of as many folds of training and validation part.

    With ``variants`` there are as many of each: networks that begin apart, or learn from other pictures, err apart.
    ``combine`` averages the ``ages`` of all, as an ensemble, or the ``weights`` of those with the same
    ``initial_weights``, and the ages of these means. ``straighten`` puts into all heads a robust line to the read
    ages from those of the cases that networks went without, against ages drawn to the mean. Folds are dealt by
    patient, within sex and bands of ``age_band_months``. ``count: 0`` trains one network on the training part, from
    the network's own ``initial_weights``.
    """

    count: Annotated[int, Within(0)]
    variants: list[FoldVariant]
    combine: Literal["ages", "weights"]
    straighten: bool
    age_band_months: Positive
    seed: int


class RegressorChanges(TypedDict, total=False):
    """What the network of an arm differs in, and its start (see `RegressionSettings`)."""

    backbone: str
    initial_weights: str
    input_px: PixelSide
    dropout: Share


class FamiliaritySettings(TypedDict):
    """``false_alarms`` is the share of fit pictures that may be called unfamiliar."""

    false_alarms: Share


class MaskFitSettings(FitSettings):
    """The fit of a segmentation network."""

    loss: Literal["dice", "dice_ce", "ce"]


class SegmenterSettings(TypedDict):
    """A segmentation network, its start, and how it is trained, at whatever size.

    ``growth`` and ``layers`` are for fc_densenet alone (see `boneage_kedro.models.fc_densenet`), ``head_channels`` is
    for fcn alone (see `boneage_kedro.models.fcn`).
    """

    architecture: str
    width: Count
    depth: Count
    reduction: Count
    growth: NotRequired[Count | None]
    layers: NotRequired[Count | None]
    head_channels: NotRequired[Count | None]
    initial_weights: str
    epoch_samples: Count
    fit: MaskFitSettings
    augment: AugmentSettings


class SegmentationSettings(SegmenterSettings):
    """The same, with the side of the pictures it is trained on."""

    input_px: PixelSide


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
    head_channels: Count | None


class QueryArm(TypedDict):
    """One way of asking, or of doing without: what differs from the settings that all share."""

    name: str
    rule: QueryRule
    first_labels: Count
    labels: Count
    members: Count
    network: NotRequired[NetworkChanges]


class AssessSettings(TypedDict):
    """How new cases are read; the network brings its own preparation of pictures.

    ``widest_wrist_cut`` is how wide, in breadths of the palm, the edge of the picture may cut a hand whose wrist is
    taken to be there (`boneage_kedro.masks.wrist.cut_share`).
    """

    batch_size: Count
    workers: Count
    accelerator: Literal["auto", "cpu", "gpu"]
    overlay_px: PixelSide
    warn_difference_months: NotNegative
    widest_wrist_cut: NotNegative
