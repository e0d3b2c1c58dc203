"""What can be set about reading new cases; the values live in ``conf/*/parameters_assess.yml``."""

from typing import Literal

from typing_extensions import TypedDict

from boneage_kedro.limits import Count, NotNegative, PixelSide


class AssessSettings(TypedDict):
    """How new cases are read; the network brings its own preparation of pictures.

    An age that differs from the chronological one by more than ``warn_difference_months`` is warned of, by more than
    ``implausible_difference_months`` not relied on.
    ``widest_wrist_cut`` is how wide, in breadths of the palm, the edge of the picture may cut a hand whose wrist is
    taken to be there (`boneage_kedro.masks.wrist.cut_share`).
    """

    batch_size: Count
    workers: Count
    accelerator: Literal["auto", "cpu", "gpu"]
    overlay_px: PixelSide
    warn_difference_months: NotNegative
    implausible_difference_months: NotNegative
    widest_wrist_cut: NotNegative
