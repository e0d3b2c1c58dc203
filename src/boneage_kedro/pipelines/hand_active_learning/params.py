"""Parameters of `hand_active_learning`."""

from typing import Literal

from typing_extensions import TypedDict

from boneage_kedro.limits import Count
from boneage_kedro.masks.binarisation import MaskThreshold
from boneage_kedro.masks.hand.quality import HandLimits
from boneage_kedro.masks.hand.store import HandCrop
from boneage_kedro.training.hands.settings import QuerySettings
from boneage_kedro.training.segmentation.settings import SegmentationSettings


class Params(TypedDict):
    """Who answers, the committee, how it asks, and what is made of its masks.

    ``oracle: truth`` takes the answers from the files of masks, for experiments; ``folder`` asks people, and takes
    the files of masks as drawn already. ``resize_masks`` brings files of masks of another size to their radiographs.
    """

    oracle: Literal["truth", "folder"]
    resize_masks: bool
    network: SegmentationSettings
    query: QuerySettings
    threshold: MaskThreshold
    limits: HandLimits
    crop: HandCrop
    workers: Count
    sheet_cases: Count
    sheet_columns: Count
