"""Whether a hand mask shows the whole of one hand, with its wrist."""

import cv2
import numpy as np
from typing_extensions import TypedDict

from boneage_kedro.limits import Positive, Share
from boneage_kedro.masks.hand import components, largest_component


class WholeLimits(TypedDict):
    """What a whole hand keeps.

    A second part of at least ``second_hand`` of the largest is a second hand. The widest place in which the hand
    meets the edge is at most ``widest_cut`` of its own breadth: a forearm is narrower than the palm, so a wider cut
    goes through the palm and has taken the wrist away. Of 68 hands that people drew in real radiographs, all whole,
    one is cut at more than 0.9, that of a child of two years; 42 do not meet the edge at all, so that says nothing.
    """

    second_hand: Share
    widest_cut: Positive


def missing_parts(foreground: np.ndarray, limits: WholeLimits) -> list[str]:
    """Reasons why a mask is not of one whole hand, a sentence each; none for a good one.

    Args:
        foreground: (H, W) bool, before `boneage_kedro.masks.hand.hand_mask`, in the frame of the radiograph or of its
            exposed field; the hand may lie in any direction.
        limits: what a whole hand keeps.
    """
    if not foreground.any():
        return ["No hand was found."]
    areas = np.sort(components(foreground)[1])[::-1]
    cut = cut_share(largest_component(foreground))
    doubts = {
        "There is a second hand; show the left one alone.": (
            len(areas) > 1 and areas[1] >= limits["second_hand"] * areas[0]
        ),
        f"The edge of the picture cuts the hand {cut:.1f} times as wide as its palm, so the wrist is cut off.": (
            cut > limits["widest_cut"]
        ),
    }
    return [sentence for sentence, holds in doubts.items() if holds]


def cut_share(hand: np.ndarray) -> float:
    """Length of the longest straight cut of a hand by the edge, as a share of its breadth.

    The breadth is the diameter of the largest circle within the hand, which lies in the palm or in the carpus.

    Args:
        hand: (H, W) bool, one component.

    Returns:
        0 if the hand does not meet the edge.
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
