"""Deciding on polarity and orientation: a picture is changed only on confident evidence."""

import numpy as np

from boneage_kedro.imaging.geometry import UPRIGHT, Pose
from boneage_kedro.imaging.preparation.recognition import POSES, Appearance

_BY_POLARITY = (2, len(POSES))
_BY_SIDE = (2, 4)
# The other way about: once it is mirrored, a hand that lay on its left side lies on its right.
_BACK = [0, 3, 2, 1]


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
        warnings.append(
            "orientation: the hand may not be an upright left one; what is unsure is left as it is"
        )
    return Appearance(inverted, pose if may_turn else UPRIGHT), tuple(warnings)


def _decide_pose(shares: np.ndarray, confidence: float) -> tuple[Pose, bool]:
    """The pose to apply, and whether another one was likelier but not by enough.

    The turn is decided first, by both sides together: where the fingers point is surer than where the thumb is, and
    a right hand is read better than one that lies on its side.
    """
    as_it_is, mirrored = shares.reshape(_BY_SIDE)
    mirrored = mirrored[_BACK]
    turned = as_it_is + mirrored
    turns = int(turned.argmax())
    if turned[turns] <= confidence:
        return UPRIGHT, bool(shares.argmax() != 0)
    if mirrored[turns] > confidence:
        return Pose(mirrored=True, quarter_turns=_BACK[turns]), False
    return Pose(mirrored=False, quarter_turns=turns), bool(mirrored[turns] > as_it_is[turns])
