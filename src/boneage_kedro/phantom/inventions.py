"""Planted inventions: changes of anatomy that a network for enhancement must never make, with the truth of where.

Each function takes a picture of a phantom, whatever its tone by now, and gives it back with one lie in it. Lies are
made of what the picture shows: a bone is lifted from the soft tissue around it, and keeps its grain.
"""

from typing import NamedTuple

import cv2
import numpy as np

from boneage_kedro.phantom.bones import LONG_BONES, ROUND_BONES, Bone
from boneage_kedro.phantom.canvas import Canvas, View
from boneage_kedro.phantom.hand import Phantom
from boneage_kedro.phantom.maturity import Stage
from boneage_kedro.phantom.round_bone import carpal_centre, draw_round_bone
from boneage_kedro.phantom.section import BoneState
from boneage_kedro.phantom.skeleton import JOINTS, heading

CARPALS = tuple(bone for bone in ROUND_BONES if bone not in (Bone.PISIFORM, Bone.SESAMOID))
VISIBLE = 0.02  # a change of gray that counts as one, on the range 0 to 1
_KNUCKLE_MM = 100.0  # from the wrist to the third knuckle, in the adult man's millimetres
_EDGE_PX = 1.2  # how far the edge of a bone reaches beyond its label, in a picture 256 pixels long
_PLATE_SHARE = 0.035  # widest growth plate, part of the long side
_TISSUE_SHARE = 0.012  # how far around the tissue behind a bone is looked up, part of the long side
_LEVEL_DEPTH = 0.02  # a spread of the depth, pixels, below which no slope can be told
_EMPTY = 1e-3


class Invention(NamedTuple):
    """A picture with a lie in it.

    Attributes:
        picture: (H, W) float32, 0 to 1.
        changed: (H, W) bool, where it differs visibly from the picture before; empty where the lie found no place.
    """

    picture: np.ndarray
    changed: np.ndarray


def erase_growth_plates(
    picture: np.ndarray, truth: Phantom, count: int, rng: np.random.Generator
) -> Invention:
    """Fill open growth plates with bone, so that the child seems older.

    Args:
        picture: (H, W) float32, 0 to 1, bone bright, in the frame of the truth.
        truth: the phantom it was made from.
        count: how many of the open plates, drawn at random; all of them if there are fewer.
        rng: draws the plates.
    """
    plates = [plate for bone in LONG_BONES if (plate := _plate(truth.bones, bone)).any()]
    filled = picture.copy()
    for i in rng.permutation(len(plates))[:count]:
        filled = _fill(filled, plates[i], truth.bones > 0)
    return _invention(picture, filled)


def add_carpal(picture: np.ndarray, truth: Phantom, size: float, rng: np.random.Generator) -> Invention:
    """Draw the ossification centre of a carpal that this child does not have yet, where it will appear.

    Args:
        picture, truth: as for `erase_growth_plates`.
        size: of the carpal's full width, 0.2 when it appears to 1.
        rng: draws which of those that are missing.
    """
    missing = [bone for bone in CARPALS if not (truth.bones == bone).any()]
    if not missing:
        return _invention(picture, picture)
    bone = missing[rng.integers(len(missing))]
    mineral = _nucleus(bone, truth, size)
    return _invention(picture, np.clip(picture + _bone_contrast(picture, truth, rng) * mineral, 0, 1))


def erase_carpal(picture: np.ndarray, truth: Phantom, rng: np.random.Generator) -> Invention:
    """Replace one carpal by soft tissue, so that the child seems younger."""
    present = [bone for bone in CARPALS if (truth.bones == bone).any()]
    if not present:
        return _invention(picture, picture)
    bone = present[rng.integers(len(present))]
    erased, _ = _without(picture, truth, truth.bones == bone, rng)
    return _invention(picture, np.clip(erased, 0, 1))


def shift_bone(
    picture: np.ndarray, truth: Phantom, distance_px: float, rng: np.random.Generator
) -> Invention:
    """Move one bone of a finger or the palm, its epiphysis with it, and close the gap with soft tissue.

    Args:
        picture, truth: as for `erase_growth_plates`.
        distance_px: how far, in this picture's pixels.
        rng: draws the bone and the direction.
    """
    bones = [bone for bone in LONG_BONES if bone <= Bone.DISTAL_5 and (truth.bones == bone).any()]
    bone = bones[rng.integers(len(bones))]
    angle = rng.uniform(0, 2 * np.pi)
    erased, contrast = _without(picture, truth, np.isin(truth.bones, (bone, bone.epiphysis)), rng)
    step = np.array([[1, 0, distance_px * np.cos(angle)], [0, 1, distance_px * np.sin(angle)]])
    moved = cv2.warpAffine(contrast, step, contrast.shape[::-1], flags=cv2.INTER_CUBIC)
    return _invention(picture, np.clip(erased + moved, 0, 1))


def _invention(before: np.ndarray, after: np.ndarray) -> Invention:
    after = after.astype(np.float32)
    return Invention(after, np.abs(after - before) > VISIBLE)


def _plate(bones: np.ndarray, bone: Bone) -> np.ndarray:
    """(H, W) bool: the open growth plate of a long bone, what lies between its shaft and its epiphysis."""
    shaft, cap = bones == bone, bones == bone.epiphysis
    if not shaft.any() or not cap.any():
        return np.zeros(bones.shape, bool)
    reach = 2 * max(1, round(_PLATE_SHARE * max(bones.shape) / 2)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    return _closed(shaft | cap, disc) & ~_closed(shaft, disc) & ~_closed(cap, disc) & (bones == 0)


def _closed(mask: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, kernel) > 0


def _fill(picture: np.ndarray, plate: np.ndarray, bone: np.ndarray) -> np.ndarray:
    """Bone instead of a growth plate: the gray of the bone around it, with the grain of the plate."""
    unit = max(picture.shape) / 256
    width = _TISSUE_SHARE * max(picture.shape)
    core = cv2.erode(bone.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    level = _surroundings(picture, core & ~plate, width)
    grain = picture - cv2.GaussianBlur(picture, (0, 0), 0.8 * unit)
    share = _softened(plate, 0.7 * _EDGE_PX * unit)
    return picture + share * np.maximum(level + grain - picture, 0)


def _without(
    picture: np.ndarray, truth: Phantom, bone: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The picture with soft tissue in place of a bone, and what the bone added to it; both (H, W) float32."""
    near_bone = cv2.dilate((truth.bones > 0).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    known = truth.hand_mask & ~near_bone
    share = _softened(bone, _EDGE_PX * max(picture.shape) / 256)
    share *= bone | (truth.bones == 0)  # neighbours stay whole
    contrast = share * (picture - _tissue(picture, truth.hand_mask, known))
    return picture - contrast + share * _grain(picture, known, rng), contrast


def _tissue(picture: np.ndarray, inside: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The soft tissue behind the bones, (H, W) float32: locally linear in the root of the depth under the skin."""
    width = _TISSUE_SHARE * max(picture.shape)
    depth = np.sqrt(cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5))
    mean_depth, mean = (_surroundings(part, known, width) for part in (depth, picture))
    spread = _surroundings((depth - mean_depth) ** 2, known, 2 * width)
    slope = _surroundings((depth - mean_depth) * (picture - mean), known, 2 * width) / (spread + _LEVEL_DEPTH)
    return mean + slope * (depth - mean_depth)


def _grain(picture: np.ndarray, known: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Noise as strong as that of the known pixels, (H, W) float32."""
    fine = np.abs(picture - cv2.GaussianBlur(picture, (0, 0), 1.0))[known]
    noise = cv2.GaussianBlur(rng.standard_normal(picture.shape, np.float32), (0, 0), 0.6)
    return noise * np.float32(1.48 * np.median(fine) / noise.std() if fine.size else 0)


def _softened(mask: np.ndarray, edge_px: float) -> np.ndarray:
    """Share of a mask that takes its blurred edge with it: (H, W) float32, 1 inside, 0 from twice the edge on."""
    outside = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    return np.clip(2 - outside / np.float32(edge_px), 0, 1) * (outside < 2 * edge_px)


def _surroundings(picture: np.ndarray, known: np.ndarray, sigma: float) -> np.ndarray:
    """The gray of the known pixels around each one, from as near as there are some: (H, W) float32."""
    level = np.full(picture.shape, picture[known].mean() if known.any() else 0, np.float32)
    weight = known.astype(np.float32)
    for width in (8 * sigma, 4 * sigma, 2 * sigma, sigma):
        share = cv2.GaussianBlur(weight, (0, 0), width)
        mean = cv2.GaussianBlur(weight * picture, (0, 0), width) / np.maximum(share, _EMPTY)
        trust = np.clip(share / 0.1, 0, 1)
        level += trust * (mean - level)
    return level


def _nucleus(bone: Bone, truth: Phantom, size: float) -> np.ndarray:
    """(H, W) float32, 0 to about 1: a young carpal at its place, drawn as the phantom draws it."""
    mirrored = truth.nuisance.mirrored
    joints = truth.joints.astype(np.float64)
    if mirrored:
        joints[:, 0] = truth.bones.shape[1] - 1 - joints[:, 0]
    along = joints[JOINTS.index("middle_finger1")] - joints[JOINTS.index("wrist")]
    scale = float(np.hypot(*along)) / _KNUCKLE_MM
    rotation_deg = float(np.degrees(np.arctan2(along[0], -along[1])))
    x, y = joints[JOINTS.index("wrist")].tolist()
    view = View(scale, rotation_deg, (x, y), truth.bones.shape)
    canvas = Canvas(view, np.ones(view.shape, np.float32))
    state = BoneState(1.0, Stage(size=size, thickness=size, gap=1, fusion=0, scar=0), 0.5)
    draw_round_bone(canvas, bone, carpal_centre(bone), heading(0.0), state)
    soft = cv2.GaussianBlur(canvas.mineral, (0, 0), 0.5 * max(view.shape) / 256)
    drawn = soft / max(float(soft.max()), _EMPTY)
    return np.ascontiguousarray(drawn[:, ::-1]) if mirrored else drawn


def _bone_contrast(picture: np.ndarray, truth: Phantom, rng: np.random.Generator) -> np.float32:
    """How much brighter round bones are than the tissue behind them; long bones where there are no round ones."""
    carpals = np.isin(truth.bones, CARPALS)
    bone = carpals if carpals.any() else truth.bones > 0
    _, contrast = _without(picture, truth, bone, rng)
    return np.float32(np.median(contrast[bone]))
