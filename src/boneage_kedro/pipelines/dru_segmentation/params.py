"""Parameters of `dru_segmentation`."""

from typing import Annotated

from typing_extensions import TypedDict

from boneage_kedro.limits import Count, PixelSide, Within
from boneage_kedro.masks.forearm.block import ForearmCrop
from boneage_kedro.training.forearm.block_settings import BlockSettings
from boneage_kedro.training.forearm.settings import ForearmPreset
from boneage_kedro.training.settings import StageSettings


class Params(TypedDict):
    """The detector, what is cut out, the network, and what is drawn.

    ``readers`` of the table of boxes, if there is one: of two boxes of a radiograph that of the first in the list
    counts. Where there is none, the box is that of the outlines. ``input_px`` is the side of the cut pictures,
    ``labelled`` the number of training pictures whose outlines are used, 0 for all.
    """

    readers: list[str]
    detector: BlockSettings
    detector_stages: list[StageSettings]
    crop: ForearmCrop
    input_px: PixelSide
    workers: Count
    labelled: Annotated[int, Within(0)]
    preset: str
    presets: dict[str, ForearmPreset]
    sheet_cases: Count
    sheet_columns: Count
