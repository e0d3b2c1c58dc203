"""What can be set about networks that tell an age; the values live in ``conf/*/parameters_*.yml``."""

from typing import Annotated, Literal, NotRequired

from typing_extensions import TypedDict

from boneage_kedro.limits import NotNegative, PixelSide, Positive, Share, Within
from boneage_kedro.models.blocks import Block
from boneage_kedro.training.settings import AugmentSettings, FitSettings, StageSettings


class PacedStage(StageSettings):
    """One step of paced transfer learning (paper 001, section 2.4), in which some blocks learn.

    ``input_px`` is the side of its pictures where it is another than the network's own: early epochs cost less on
    smaller pictures.
    """

    free: list[Block]
    input_px: NotRequired[PixelSide]


class AgeAugmentSettings(AugmentSettings):
    """Ranges of what a training picture of an age regressor goes through; 0 switches one off.

    Each of the four sides on its own loses up to ``crop`` of the picture's side or gets up to ``margin`` of black,
    and what is then there is squashed into the square. An exposure window as of a careless export makes up to
    ``window_low`` of the gray scale black and up to ``window_high`` white. ``blur_px`` and ``noise_sd`` are the
    largest standard deviations, in pixels of the network's input and in parts of the gray scale, ``clip_limit`` is
    that of `boneage_kedro.training.equalisation.equalise_locally`; ``cutout`` is the largest part of a side of a
    black rectangle.
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
    clip_limit: NotNegative
    cutout_probability: Share
    cutout: Share


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


class OriginSettings(TypedDict, total=False):
    """What makes training pictures look as if from elsewhere (see `AgeAugmentSettings`)."""

    log_aspect: NotNegative
    blur_px: NotNegative
    noise_sd: NotNegative
    clip_limit: NotNegative


class FoldVariant(TypedDict, total=False):
    """What the networks of a variant differ in (see `RegressionSettings`)."""

    initial_weights: str
    augment: OriginSettings


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


class CrossValidation(TypedDict):
    """Training and validation part together are cut into ``folds``, by patient, within sex and age band."""

    folds: Annotated[int, Within(2)]
    age_band_months: Positive
    seed: int


class BonetArm(TypedDict):
    """One way of learning: the network, its start, and the blocks that learn; all else is shared."""

    name: str
    network: RegressorChanges
    free: list[Block]
