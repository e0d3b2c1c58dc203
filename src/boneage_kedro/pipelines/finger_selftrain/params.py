"""Parameters of `finger_selftrain`."""

from typing import Annotated

from typing_extensions import TypedDict

from boneage_kedro.limits import Count, PixelSide, Within
from boneage_kedro.masks.crf_settings import CrfSettings
from boneage_kedro.training.fingers.settings import SelfTrainSettings
from boneage_kedro.training.segmentation.settings import SegmentationSettings


class Params(TypedDict):
    """The student, its teacher, the rounds, and what is drawn.

    The teacher's reaches are those on pictures of ``crf_px``; they are scaled to the network's size.

    ``binary`` makes one class of all phalanges, as the paper does; else distal, middle and proximal ones are told
    apart. ``labelled`` is the number of training pictures whose masks are used, 0 for all.
    """

    binary: bool
    labelled: Annotated[int, Within(0)]
    network: SegmentationSettings
    rounds: SelfTrainSettings
    crf: CrfSettings
    crf_px: PixelSide
    sheet_cases: Count
    sheet_columns: Count
