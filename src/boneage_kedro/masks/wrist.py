"""Whether the wrist lies within the picture, told from the mask of the hand.

That there is one hand alone, `boneage_kedro.masks.hand.quality` tells.
"""

import cv2
import numpy as np


def wrist_doubt(hand: np.ndarray, widest_cut: float) -> str:
    """Why the wrist seems to be missing, a sentence; empty if nothing speaks for it.

    Args:
        hand: (H, W) bool, one component, in the frame of the radiograph or of its exposed field; the hand may lie in
            any direction.
        widest_cut: the `cut_share` that a whole hand may have. Of 68 hands that people drew in real radiographs, all
            whole, one has more than 0.9, that of a child of two years.
    """
    cut = cut_share(hand)
    if cut <= widest_cut:
        return ""
    return (
        f"The edge of the picture cuts the hand {cut:.1f} times as wide as its palm, so the wrist is cut off."
    )


def cut_share(hand: np.ndarray) -> float:
    """Length of the longest straight cut of a hand by the edge, as a share of its breadth.

    A forearm is narrower than the palm, so a wide cut goes through the palm and has taken the wrist away. The breadth
    is the diameter of the largest circle within the hand, which lies in the palm or in the carpus.

    Args:
        hand: (H, W) bool, one component.

    Returns:
        0 if the hand does not meet the edge, which says nothing: many masks end at the forearm.
    """
    sides = (hand[0], hand[-1], hand[:, 0], hand[:, -1])
    longest = max(_longest_run(side) for side in sides)
    # what is outside the picture does not bound the hand
    padded = cv2.copyMakeBorder(hand.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    breadth = 2 * float(cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE).max())
    return longest / breadth if breadth else 0.0


def _longest_run(line: np.ndarray) -> int:
    steps = np.diff(line.astype(np.int8), prepend=0, append=0)
    lengths = np.flatnonzero(steps < 0) - np.flatnonzero(steps > 0)
    return int(lengths.max()) if len(lengths) else 0
