"""Deciding on polarity and orientation: a picture is changed only on confident evidence."""

import numpy as np

from boneage_kedro.imaging.geometry import UPRIGHT, Pose
from boneage_kedro.imaging.preparation.recognition import POSES, Appearance

_BY_POLARITY = (2, len(POSES))


def decide(
    probabilities: np.ndarray, confidence: float, may_invert: bool, may_turn: bool
) -> tuple[Appearance, tuple[str, ...]]:
    """The appearance to give a picture, and warnings where the evidence was left unused.

    Args:
        probabilities: (16,) of `APPEARANCES`, from `recognition.recognise`.
        confidence: 0.5..1; how probable a change must be. A false turn harms more than a missed one.
        may_invert: False when the header vouches for the polarity or the user wants it as it is.
        may_turn: False when the user wants the orientation as it is.
    """
    by_polarity = probabilities.reshape(_BY_POLARITY)
    looks_inverted = bool(by_polarity[1].sum() > confidence)
    inverted = looks_inverted and may_invert
    shares = by_polarity[int(looks_inverted)]
    pose, unsure = _decide_pose(shares / max(float(shares.sum()), 1e-12), confidence)
    warnings = []
    if looks_inverted and not may_invert:
        warnings.append("polarity: the background looks white, left as it is")
    if unsure or (pose != UPRIGHT and not may_turn):
        warnings.append("orientation: the hand may not be an upright left hand, left as it is")
    return Appearance(inverted, pose if may_turn else UPRIGHT), tuple(warnings)


def _decide_pose(shares: np.ndarray, confidence: float) -> tuple[Pose, bool]:
    """The pose to apply, and whether another one than upright was likelier but not by enough."""
    best = int(shares.argmax())
    sure = bool(shares[best] > confidence)
    return (POSES[best] if sure else UPRIGHT), not sure and best != 0
