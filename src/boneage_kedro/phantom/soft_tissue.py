"""Soft tissue around a skeleton: skin outline and thickness, from tapered capsules melted together.

Sizes are in the adult man's millimetres, after hand breadths and depths of grown men (palm about 86 mm broad and
28 mm deep, wrist 60 mm by 40 mm, finger joints 17 to 22 mm); infants are chubbier by `CHUBBINESS`.
"""

from typing import NamedTuple

import cv2
import numpy as np

from boneage_kedro.phantom.canvas import View
from boneage_kedro.phantom.skeleton import (
    FOREARM_MM,
    FOREARM_ROOT,
    METACARPAL_BASES,
    Skeleton,
    heading,
)

FINGER_RADII = np.array(
    [
        [13.5, 12.0, 11.2, 8.6],
        [11.6, 9.7, 8.4, 6.8],
        [11.6, 10.0, 8.7, 7.0],
        [11.2, 9.5, 8.2, 6.6],
        [10.0, 8.4, 7.4, 6.0],
    ]
)
FINGER_DEPTH = 1.8  # depth towards the film over the radius
TIP_MM = 4.2  # the pulp reaches as far beyond the last bone
MELTING_MM = 2.2  # scale over which capsules melt together; makes the webs between fingers
CHUBBINESS = ([0, 12, 36, 84, 144], [1.25, 1.2, 1.1, 1.03, 1.0])  # factor on radii over age in months
COARSENESS = 4  # distances are smooth: they are worked out on a grid so much coarser than the picture


class Capsule(NamedTuple):
    """A tapered limb between two points in mm, with radius and depth towards the film at each end."""

    start: np.ndarray
    end: np.ndarray
    radii: tuple[float, float]
    depths: tuple[float, float]

    def of_size(self, unit: float, chubbiness: float) -> "Capsule":
        """The limb of a smaller and chubbier hand."""
        wide, deep = unit * chubbiness, unit * chubbiness**2
        radii, depths = self.radii, self.depths
        return Capsule(
            self.start * unit,
            self.end * unit,
            (wide * radii[0], wide * radii[1]),
            (deep * depths[0], deep * depths[1]),
        )


class SoftTissue(NamedTuple):
    """Skin and what is within.

    Attributes:
        thickness: (H, W) float32 along the ray, mm.
        inside: (H, W) float32 distance to the skin, mm, negative outside.
    """

    thickness: np.ndarray
    inside: np.ndarray


def wrap(skeleton: Skeleton, view: View, age_months: float) -> SoftTissue:
    """Cover a skeleton with flesh and skin."""
    height, width = view.shape
    # pixel centres of the coarse grid lie between those of the fine one, as cv2.resize has it
    x, y = ((origin + 0.5) / COARSENESS - 0.5 for origin in view.origin)
    shape = (-(-height // COARSENESS), -(-width // COARSENESS))
    small = View(view.scale / COARSENESS, view.rotation_deg, (x, y), shape)
    chubbiness = float(np.interp(age_months, *CHUBBINESS))
    joints = skeleton.joints[1:].reshape(5, 4, 2) / skeleton.unit
    limbs = [*_fingers(joints), *([part] for part in _palm(joints, skeleton))]
    limbs = [[part.of_size(skeleton.unit, chubbiness) for part in limb] for limb in limbs]
    inside, depth, edge = _melt(limbs, small, MELTING_MM * skeleton.unit)
    size = (small.shape[1] * COARSENESS, small.shape[0] * COARSENESS)
    inside, depth, edge = (cv2.resize(part, size)[:height, :width] for part in (inside, depth, edge))
    rest = 1 - np.clip(inside / edge, 0, 1)
    return SoftTissue(depth * np.sqrt(1 - rest * rest), inside)


def _fingers(joints: np.ndarray) -> list[list[Capsule]]:
    """Each finger as a chain of three segments, in the adult man's millimetres."""
    last = joints[:, 3] - joints[:, 2]
    last /= np.linalg.norm(last, axis=1, keepdims=True)
    points = joints.copy()
    points[:, 3] += last * (TIP_MM - FINGER_RADII[:, 3:])
    return [
        [
            Capsule(
                finger[i], finger[i + 1], (r[i], r[i + 1]), (FINGER_DEPTH * r[i], FINGER_DEPTH * r[i + 1])
            )
            for i in range(3)
        ]
        for finger, r in zip(points, FINGER_RADII, strict=True)
    ]


def _palm(joints: np.ndarray, skeleton: Skeleton) -> list[Capsule]:
    """Rays of the palm up to the webs, muscles of the thumb and little finger, carpus and forearm."""
    (thumb_base, thumb_knuckle), index_knuckle = joints[0, :2], joints[1, 0]
    forearm = FOREARM_ROOT - FOREARM_MM * heading(skeleton.forearm_deg)
    rays = [
        Capsule(base, 0.65 * finger[0] + 0.35 * finger[1], (14, 11.5), (30, 22))
        for base, finger in zip(METACARPAL_BASES, joints[1:], strict=True)
    ]
    thenar = Capsule(0.2 * thumb_base + np.array([6.4, 17.6]), thumb_knuckle, (22, 12.5), (34, 26))
    web = Capsule(0.15 * thumb_base + 0.85 * thumb_knuckle, 0.9 * index_knuckle, (10, 12), (24, 23))
    adductor = Capsule(np.array([8.0, 42]), 0.5 * thumb_knuckle + 0.375 * index_knuckle, (18, 15), (33, 25))
    hypothenar = Capsule(np.array([-21.0, 20]), 0.9 * joints[4, 0], (21, 14.5), (34, 26))
    carpus = Capsule(np.array([-4.0, 6]), np.array([-3.0, 42]), (29, 32), (38, 34))
    return [
        *rays,
        thenar,
        web,
        adductor,
        hypothenar,
        carpus,
        Capsule(FOREARM_ROOT, forearm, (29, 42), (38, 54)),
    ]


def _melt(
    limbs: list[list[Capsule]], view: View, melting: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inner distance to the common skin, depth towards the film, and width of the rounded edge; all in mm."""
    height, width = view.shape
    x = np.arange(width, dtype=np.float32)
    y = np.arange(height, dtype=np.float32)[:, None]
    total = np.full(view.shape, 1e-30, np.float32)
    depth, edge = np.zeros(view.shape, np.float32), np.zeros(view.shape, np.float32)
    for limb in limbs:
        parts = [_capsule(capsule, view, x, y) for capsule in limb]
        inside, thick, radius = parts[0]
        for other in parts[1:]:
            nearer = other[0] > inside
            inside = np.where(nearer, other[0], inside)
            thick, radius = np.where(nearer, other[1], thick), np.where(nearer, other[2], radius)
        weight = np.exp(np.clip(inside / np.float32(melting), -60, 20))
        total += weight
        depth += weight * thick
        edge += weight * radius
    return np.float32(melting) * np.log(total), depth / total, edge / total


def _capsule(
    capsule: Capsule, view: View, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inner distance, depth and radius of one limb over a grid of pixels, mm."""
    start, end = view.pixels(capsule.start), view.pixels(capsule.end)
    step = end - start
    px, py = x - np.float32(start[0]), y - np.float32(start[1])
    along = np.clip((px * np.float32(step[0]) + py * np.float32(step[1])) / np.float32(step @ step), 0, 1)
    off_x, off_y = px - along * np.float32(step[0]), py - along * np.float32(step[1])
    distance = np.sqrt(off_x * off_x + off_y * off_y) / np.float32(view.scale)
    radius = np.float32(capsule.radii[0]) + np.float32(capsule.radii[1] - capsule.radii[0]) * along
    depth = np.float32(capsule.depths[0]) + np.float32(capsule.depths[1] - capsule.depths[0]) * along
    return radius - distance, depth, radius
