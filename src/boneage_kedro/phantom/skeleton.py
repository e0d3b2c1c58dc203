"""Where the bones of one hand lie: lengths, joints and pose, in millimetres.

The hand frame has its origin at the wrist joint, x to the thumb's side and y to the fingertips, the third
metacarpal along y. Tables are in the adult man's millimetres, where the wrist is 100 mm from the third knuckle.
Segment lengths and directions follow the medians of annotated joints in clinical hand radiographs (they hardly
change with age), and agree with the bone lengths of Garn SM et al., Radiology 1972;105:375-381.
"""

from dataclasses import dataclass

import numpy as np

from boneage_kedro.phantom.bones import Bone

_FINGERS = ("thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger")
JOINTS = ("wrist", *(f"{finger}{i}" for finger in _FINGERS for i in (1, 2, 3, 4)))
"""Names of the 21 joints in order; 1 is the base (of the thumb: its carpal joint), 4 the tip of the last bone."""

# For each finger: the position of its first joint, then three segments as (length mm, direction from y in degrees).
FIRST_JOINT = np.array([[33.0, 29.5], [23.4, 101.0], [0.0, 100.0], [-19.8, 90.5], [-38.6, 78.0]])
LENGTHS = np.array(
    [[43.0, 31.0, 21.0], [40.0, 23.0, 16.5], [43.5, 27.5, 17.5], [41.0, 26.5, 18.0], [32.0, 18.5, 16.0]]
)
DIRECTIONS = np.array(
    [[33.0, 26.0, 29.0], [6.0, 4.0, 2.0], [-3.0, -4.0, -5.0], [-12.0, -10.0, -8.0], [-29.0, -24.0, -18.0]]
)
METACARPAL_BASES = np.array([[12.3, 38.0], [0.5, 36.5], [-11.3, 36.3], [-20.5, 33.5]])  # of fingers 2 to 5
FOREARM_ROOT = np.array([-6.0, 4.0])  # radius and ulna turn about this point
RADIUS_END, ULNA_END = np.array([1.5, 3.0]), np.array([-26.0, -0.6])
FOREARM_MM = 230.0

# Standard deviations of one hand about the tables.
LENGTH_SD = 0.03
THUMB_DEG_SD, SPREAD_DEG_SD, FINGER_DEG_SD, BEND_DEG_SD = 6.0, 3.0, 2.5, 2.5
FOREARM_DEG_SD = 6.0

FINGER_BONES = (
    (Bone.PROXIMAL_1, Bone.DISTAL_1),
    (Bone.PROXIMAL_2, Bone.MIDDLE_2, Bone.DISTAL_2),
    (Bone.PROXIMAL_3, Bone.MIDDLE_3, Bone.DISTAL_3),
    (Bone.PROXIMAL_4, Bone.MIDDLE_4, Bone.DISTAL_4),
    (Bone.PROXIMAL_5, Bone.MIDDLE_5, Bone.DISTAL_5),
)


@dataclass(frozen=True)
class Skeleton:
    """Joints and bone axes of one hand.

    Attributes:
        unit: millimetres of this hand for one of the adult man's.
        joints: (21, 2) float64, x y in mm, named by `JOINTS`.
        axes: for each long bone its proximal and distal joint, mm.
        forearm_deg: direction of the forearm, degrees from the hand's axis.
    """

    unit: float
    joints: np.ndarray
    axes: dict[Bone, tuple[np.ndarray, np.ndarray]]
    forearm_deg: float


def heading(degrees: float | np.ndarray) -> np.ndarray:
    """Unit vector that points `degrees` from y towards x; shape (..., 2)."""
    radians = np.radians(degrees)
    return np.stack([np.sin(radians), np.cos(radians)], axis=-1)


def palm_breadth(age_months: float) -> float:
    """Breadth of the palm for its length as a factor on the adult's: infants have broad palms."""
    return float(np.interp(age_months, [0, 36, 72, 120], [1.16, 1.12, 1.05, 1.0]))


def pose_hand(unit: float, breadth: float, rng: np.random.Generator) -> Skeleton:
    """Draw a hand's proportions and pose: fingers spread at random, each joint a little bent sideways."""
    lengths = LENGTHS * (1 + LENGTH_SD * rng.standard_normal((5, 1)))
    fingers = _place_fingers(lengths, _draw_directions(rng), breadth)
    forearm_deg = float(FOREARM_DEG_SD * np.clip(rng.standard_normal(), -2, 2))
    joints = np.concatenate([np.zeros((1, 2)), fingers.reshape(20, 2)]) * unit
    return Skeleton(unit, joints, _bone_axes(joints, unit, breadth, forearm_deg), forearm_deg)


def _draw_directions(rng: np.random.Generator) -> np.ndarray:
    """(5, 3) directions of the segments of each finger, degrees."""
    spread = SPREAD_DEG_SD * rng.standard_normal() * np.array([0, 0.8, 0, -1, -2.2])
    spread += FINGER_DEG_SD * rng.standard_normal(5)
    spread[0] += THUMB_DEG_SD * rng.standard_normal()
    bend = np.cumsum(BEND_DEG_SD * rng.standard_normal((5, 2)), axis=1)
    directions = DIRECTIONS + np.clip(spread, -14, 14)[:, None]
    directions[:, 1:] += bend
    return _keep_apart(directions)


def _keep_apart(directions: np.ndarray) -> np.ndarray:
    """Turn long fingers that would lie on one another outwards, so that 4 degrees stay between neighbours."""
    apart = directions.copy()
    for finger, side in ((1, 1), (3, -1), (4, -1)):
        neighbour = 2 if finger in (1, 3) else 3
        lack = 4 - side * (apart[finger] - apart[neighbour])
        apart[finger] += side * max(0.0, float(lack.max()))
    return apart


def _place_fingers(lengths: np.ndarray, directions: np.ndarray, breadth: float) -> np.ndarray:
    """(5, 4, 2) joints of the fingers in the adult man's millimetres."""
    steps = lengths[..., None] * heading(directions)
    first = (FIRST_JOINT * [breadth, 1.0])[:, None]
    return np.concatenate([first, first + np.cumsum(steps, axis=1)], axis=1)


def _bone_axes(
    joints: np.ndarray, unit: float, breadth: float, forearm_deg: float
) -> dict[Bone, tuple[np.ndarray, np.ndarray]]:
    fingers = joints[1:].reshape(5, 4, 2)
    axes = {Bone.METACARPAL_1: (fingers[0, 0], fingers[0, 1])}
    axes |= {Bone(i + 2): (METACARPAL_BASES[i] * unit * [breadth, 1.0], fingers[i + 1, 0]) for i in range(4)}
    for finger, bones in enumerate(FINGER_BONES):
        for i, bone in enumerate(bones):
            first = i + (finger == 0)  # the thumb's first joint belongs to its metacarpal
            axes[bone] = (fingers[finger, first], fingers[finger, first + 1])
    for bone, end, lean in ((Bone.RADIUS, RADIUS_END, 1.0), (Bone.ULNA, ULNA_END, 0.0)):
        distal = turn(end, FOREARM_ROOT, forearm_deg)
        axes[bone] = ((distal - FOREARM_MM * heading(forearm_deg + lean)) * unit, distal * unit)
    return axes


def turn(points: np.ndarray, about: np.ndarray, degrees: float) -> np.ndarray:
    """Turn points (..., 2) clockwise (y towards x) about a point."""
    along, across = heading(degrees), heading(degrees + 90)
    offset = points - about
    return about + offset[..., :1] * across + offset[..., 1:] * along
