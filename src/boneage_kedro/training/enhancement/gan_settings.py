"""What can be set about the training of the enhancer; the values live in ``conf/*/parameters_gan_enhance.yml``."""

from typing import Literal

from typing_extensions import TypedDict

from boneage_kedro.evaluation.enhancement.fidelity import FidelityLimits, FidelitySettings
from boneage_kedro.imaging.changes.degradation import DegradationSettings
from boneage_kedro.imaging.contrast.tone_curve import StandardTone
from boneage_kedro.limits import Count, NotNegative, PixelSide, Positive, Share
from boneage_kedro.training.settings import MoveSettings

InputTone = Literal["as_exposed", "standard"]


class PairSettings(TypedDict):
    """What the enhancer learns from.

    With ``physics`` the best exposed ``gold_share`` of the hands of each part of the split and age band are the gold,
    in one ``tone``, and are degraded; with ``folder`` a person has adjusted pairs. ``input_tone`` is that in which
    the network gets a hand: as it was exposed, or brought to the standard ``tone`` first, so that it need not find
    out from the part of the hand it sees how the whole was exposed.
    """

    source: Literal["physics", "folder"]
    gold_share: Share
    age_band_months: Positive
    tone: StandardTone
    input_tone: InputTone
    degradation: DegradationSettings
    seed: int


class EnhancerSettings(TypedDict):
    """The generator (see `boneage_kedro.models.enhancer.EnhancerConfig`)."""

    width: Count
    depth: Count


class DiscriminatorSettings(TypedDict):
    """The discriminator: the ``paper``'s, or PatchGAN; width is the channels behind its first convolution."""

    name: Literal["paper", "patch"]
    width: Count


class GanWeights(TypedDict):
    """What counts how much in the generator's loss.

    ``ssim`` is that of 1 - SSIM beside L1, for ``l1_ssim`` alone; ``background`` that of a pixel outside the hand,
    where one in the hand counts 1. An ``adversarial`` of 0 learns from the reconstruction alone.
    """

    adversarial: NotNegative
    reconstruction: NotNegative
    ssim: NotNegative
    background: Share


class GanSettings(TypedDict):
    """Networks, losses and course of the training (paper 001, sections 2.3 and 3.3).

    An epoch draws ``epoch_samples`` pairs, however many there are. ``ema_decay`` is the share that the averaged
    weights keep of themselves with each step. Every ``sheet_epochs`` epochs the first ``sheet_pictures`` validation
    pairs are shown. ``workers`` threads prepare pairs.
    """

    generator: EnhancerSettings
    discriminator: DiscriminatorSettings
    reconstruction: Literal["bce_dice", "l1", "l1_ssim"]
    weights: GanWeights
    generator_learning_rate: Positive
    discriminator_learning_rate: Positive
    ema_decay: Share
    epochs: Count
    epoch_samples: Count
    batch_size: Count
    augment: MoveSettings
    sheet_epochs: Count
    sheet_pictures: Count
    accelerator: Literal["auto", "cpu", "gpu"]
    precision: Literal["32-true", "bf16-mixed"]
    workers: Count
    seed: int


class GanArm(TypedDict):
    """One way of teaching the enhancer: what differs from the settings that all share."""

    name: str
    input_tone: InputTone
    reconstruction: Literal["bce_dice", "l1", "l1_ssim"]
    discriminator: Literal["paper", "patch"]
    adversarial: NotNegative


class GuardSettings(TypedDict):
    """What an enhanced picture is compared by, and what it must keep.

    The limits of change are set anew on ``calibration_cases`` hands, so that they fire on no more than
    ``false_alarms`` of honest changes of tone.
    """

    fidelity: FidelitySettings
    limits: FidelityLimits
    false_alarms: Share
    calibration_cases: Count


class TileSettings(TypedDict):
    """The tiles that large pictures are enhanced by, multiples of the network's stride."""

    tile_px: PixelSide
    overlap_px: PixelSide
