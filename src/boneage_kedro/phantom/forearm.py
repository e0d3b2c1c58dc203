"""The ends of radius and ulna at the wrist, as people box them in real radiographs."""

import numpy as np

from boneage_kedro.phantom.bones import Bone

# Height over breadth of the boxes of `roi_boxes.csv`, medians of 405.
_DEPTHS = {Bone.RADIUS: 0.74, Bone.ULNA: 0.88}
_PALM = tuple(bone for bone in Bone if bone <= Bone.METACARPAL_5)


def forearm_ends(bones: np.ndarray) -> np.ndarray:
    """The distal ends of radius and ulna, epiphysis to metaphysis; the box around them is the radius-ulna block.

    An end reaches as far down as `roi_boxes.csv` has it in the middle, in parts of the bone's breadth there. The hand
    may lie in any direction: down is from the metacarpals to the forearm.

    Args:
        bones: (H, W) uint8, codes of `boneage_kedro.phantom.bones.BONES`.

    Returns:
        (H, W) bool; empty if a bone or the palm is not in the picture.
    """
    masks = [_of(bones, bone) for bone in _DEPTHS]
    palm = np.logical_or.reduce([_of(bones, bone) for bone in _PALM])
    if not palm.any() or not all(mask.any() for mask in masks):
        return np.zeros(bones.shape, bool)
    up = _centre(palm) - _centre(masks[0] | masks[1])
    up /= np.hypot(*up)
    ends = [_end(mask, up, depth) for mask, depth in zip(masks, _DEPTHS.values(), strict=True)]
    return ends[0] | ends[1]


def _of(bones: np.ndarray, bone: Bone) -> np.ndarray:
    return (bones == bone) | (bones == bone.epiphysis)


def _centre(mask: np.ndarray) -> np.ndarray:
    """Mean x and y of its pixels."""
    y, x = np.nonzero(mask)
    return np.array([x.mean(), y.mean()])


def _end(mask: np.ndarray, up: np.ndarray, depth: float) -> np.ndarray:
    """The pixels of a bone that lie at most ``depth`` of its breadth below its upper end, (H, W) bool."""
    y, x = np.nonzero(mask)
    height, across = x * up[0] + y * up[1], x * up[1] - y * up[0]
    below = height.max() - height
    # a shaft that leans is less broad near its end than on the whole
    near = across[below <= np.ptp(across)]
    end = np.zeros(mask.shape, bool)
    chosen = below < depth * (np.ptp(near) + 1)
    end[y[chosen], x[chosen]] = True
    return end
