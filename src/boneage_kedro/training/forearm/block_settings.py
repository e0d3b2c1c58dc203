"""What can be set about the detector of the radius-ulna block; the values live in ``conf/*/parameters_*.yml``."""

from typing_extensions import TypedDict

from boneage_kedro.limits import Count, PixelSide, Share
from boneage_kedro.training.settings import AugmentSettings, FitSettings


class BlockSettings(TypedDict):
    """The detector and how it is trained and used.

    Of the training pictures a share ``cut_share`` ends above the block, as where the wrist is not on the film: from
    them it learns to say that there is none. A box is told from a confidence of ``threshold``.
    ``initial_weights`` are ``random``, or name the file of a detector that was trained before.
    """

    input_px: PixelSide
    width: Count
    depth: Count
    initial_weights: str
    epoch_samples: Count
    cut_share: Share
    threshold: Share
    fit: FitSettings
    augment: AugmentSettings
