"""Regions of a hand radiograph in which attention is counted: rows of bones, soft tissue, and background."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from boneage_kedro.phantom.bones import BONES

REGIONS = (
    "background",
    "soft tissue",
    "distal phalanges",
    "middle phalanges",
    "proximal phalanges",
    "metacarpals",
    "carpals",
    "radius and ulna",
)
"""Names of the codes 0, 1, 2, ... of a region map."""

_BACKGROUND, _SOFT_TISSUE, _DISTAL, _MIDDLE, _PROXIMAL, _METACARPAL, _CARPAL, _FOREARM = range(len(REGIONS))
_REGION_OF_BONE = {
    "distal": _DISTAL,
    "middle": _MIDDLE,
    "proximal": _PROXIMAL,
    "metacarpal": _METACARPAL,
    "sesamoid": _METACARPAL,  # it lies on the head of the first one
    "radius": _FOREARM,
    "ulna": _FOREARM,
}  # all others are carpals

# Half the breadth of the bones with some cartilage, as parts of the way from wrist to middle knuckle, which is 100 mm
# in a man. Fitted to the bones of phantoms of 11 to 18 years, then a little wider for the growth plates.
_REACH = {_DISTAL: 0.04, _MIDDLE: 0.05, _PROXIMAL: 0.055, _METACARPAL: 0.06, _CARPAL: 0.11}
_RADIUS_REACH, _ULNA_REACH = 0.17, 0.13
_RADIUS_ACROSS, _ULNA_ACROSS = 0.0, -0.27  # to the thumb's side of the wrist joint
_FOREARM_LENGTH = 2.3
_CARPUS, _METACARPUS = (0.12, 0.31), (0.42, 1.0)  # of the way from wrist to knuckle
_TRAPEZIUM = (0.6, 0.8)  # of the way from wrist to the base of the thumb
_FIRST_FINGER, _JOINTS_PER_FINGER = 1, 4


class _Segment(NamedTuple):
    """The axis of a bone from one point to another, and how far the bone reaches from it."""

    region: int
    start: np.ndarray
    end: np.ndarray
    reach: float


def regions_of_bones(bones: np.ndarray, hand: np.ndarray) -> np.ndarray:
    """Regions from a map of single bones, as phantoms have it; an open growth plate counts as soft tissue.

    Args:
        bones: (H, W) uint8, codes of `boneage_kedro.phantom.BONES`.
        hand: (H, W) bool, all within the skin.

    Returns:
        (H, W) uint8, codes of `REGIONS`.
    """
    codes = np.zeros(256, np.uint8)
    for code, name in BONES.items():
        codes[code] = _REGION_OF_BONE.get(name.split("_")[0], _CARPAL)
    return np.where(bones > 0, codes[bones], np.where(hand, _SOFT_TISSUE, _BACKGROUND)).astype(np.uint8)


def regions_of_joints(joints: np.ndarray, hand: np.ndarray) -> np.ndarray:
    """Regions from joints, for radiographs whose bones nobody has drawn: what lies near the axis of a bone.

    Growth plates and joint spaces go to the bones beside them.

    Args:
        joints: (21, 2) x y in pixels, in the order of `boneage_kedro.phantom.JOINTS`.
        hand: (H, W) bool, all within the skin.

    Returns:
        (H, W) uint8, codes of `REGIONS`.

    Raises:
        ValueError: the joints are not those of a hand.
    """
    if joints.shape != (21, 2) or not np.isfinite(joints).all():
        raise ValueError(f"need 21 joints (x, y) that are finite, got {joints.shape}")
    pixels = np.argwhere(hand)[:, ::-1].astype(np.float64)  # (m, 2) x y
    inside, nearest = np.full(len(pixels), _SOFT_TISSUE, np.uint8), np.ones(len(pixels))
    for segment in _segments(joints.astype(np.float64)):
        distance = _distance(pixels, segment) / segment.reach
        closer = distance < nearest
        inside[closer], nearest[closer] = segment.region, distance[closer]
    regions = np.full(hand.shape, _BACKGROUND, np.uint8)
    regions[hand] = inside
    return regions


def _segments(joints: np.ndarray) -> Iterator[_Segment]:
    wrist = joints[0]
    fingers = joints[_FIRST_FINGER:].reshape(
        5, _JOINTS_PER_FINGER, 2
    )  # from the thumb; from the base to the tip
    palm = fingers[2, 0] - wrist
    unit = float(np.linalg.norm(palm))
    if not unit:
        raise ValueError("wrist and middle knuckle coincide, so the joints give the hand no size")

    def segment(region: int, start: np.ndarray, end: np.ndarray) -> _Segment:
        return _Segment(region, start, end, _REACH[region] * unit)

    for i, finger in enumerate(fingers):
        rows = (_METACARPAL, _PROXIMAL, _DISTAL) if i == 0 else (_PROXIMAL, _MIDDLE, _DISTAL)
        for row, start, end in zip(rows, finger, finger[1:], strict=False):
            yield segment(row, start, end)
        ways = [(_CARPAL, _TRAPEZIUM)] if i == 0 else [(_CARPAL, _CARPUS), (_METACARPAL, _METACARPUS)]
        for region, (near, far) in ways:
            way = finger[0] - wrist
            yield segment(region, wrist + near * way, wrist + far * way)
    yield from _forearm(wrist, palm, fingers[1, 0] - fingers[4, 0], unit)


def _forearm(wrist: np.ndarray, palm: np.ndarray, to_thumb: np.ndarray, unit: float) -> Iterator[_Segment]:
    """Radius and ulna, as if the forearm went on in the direction of the palm."""
    along = palm / unit
    across = to_thumb - (to_thumb @ along) * along
    across *= unit / (np.linalg.norm(across) or 1)
    for side, reach in ((_RADIUS_ACROSS, _RADIUS_REACH), (_ULNA_ACROSS, _ULNA_REACH)):
        end = wrist + side * across - reach * palm  # its round end reaches up to the wrist joint
        yield _Segment(_FOREARM, end, end - _FOREARM_LENGTH * palm, reach * unit)


def _distance(pixels: np.ndarray, segment: _Segment) -> np.ndarray:
    """Distance of pixels (m, 2) from a segment, (m,)."""
    way = segment.end - segment.start
    part = np.clip((pixels - segment.start) @ way / max(float(way @ way), 1e-12), 0, 1)
    return np.asarray(np.linalg.norm(pixels - segment.start - part[:, None] * way, axis=1))
