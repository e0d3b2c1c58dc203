"""What a drawn mask of one hand must be like."""

import numpy as np

from boneage_kedro.masks.hand.region import components
from boneage_kedro.masks.label_maps import UnusableMask

# Both hands of a child are nearly of one size, even where one is half cut off; of 68 hands that readers drew, none
# had a second part at all. What a brush leaves behind, or a finger tip that came off, is far smaller than this.
SECOND_HAND_SHARE = 0.25


def check_hand(mask: np.ndarray) -> None:
    """Refuse a mask (H, W), not 0 in the hand, with two hands: a second part of at least a quarter of the largest.

    Raises:
        UnusableMask: the reason, without the name of a file.
    """
    areas = np.sort(components(mask != 0)[1])[::-1]
    if len(areas) > 1 and areas[1] >= SECOND_HAND_SHARE * areas[0]:
        raise UnusableMask(
            f"has two hands: parts of {areas[0]} and {areas[1]} pixels; draw one hand alone, in one piece"
        )
