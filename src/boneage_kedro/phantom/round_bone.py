"""Draw carpals and the sesamoid: round when they appear, in their adult shape when full-sized."""

from functools import lru_cache

import numpy as np

from boneage_kedro.phantom.bones import Bone
from boneage_kedro.phantom.canvas import Canvas, Patch
from boneage_kedro.phantom.outlines import CARPAL_FULLNESS, CARPAL_OUTLINES
from boneage_kedro.phantom.section import BoneState, ramp, shell_and_core

DEPTH = 0.56  # half depth towards the film over the mean radius
DEPTHS = {Bone.PISIFORM: 0.75, Bone.SESAMOID: 1.0}  # where it differs
SHELL_MM = 0.5
CARPAL_SPONGY = 1.25  # density of their spongy bone over that of long bones
SESAMOID_RADIUS_MM = 2.6
HOOK_CENTRE_MM, HOOK_RADIUS_MM = (1.5, -0.5), 2.6  # (along, across) from the hamate's centre
HOOK_MINERAL = 0.32  # attenuation of its rim

_ANGLES = 128


def draw_round_bone(
    canvas: Canvas, bone: Bone, centre: np.ndarray, heading: np.ndarray, state: BoneState
) -> None:
    """Draw a carpal (or the sesamoid): round when it appears, in its adult shape when it is full-sized."""
    size, unit = state.stage.size, state.unit
    if size <= 0:
        return
    radii = _polar_outline(bone)
    reach = radii.max() * unit * state.width + 1
    patch = canvas.patch(centre, heading, (-reach, reach), reach)
    if patch is None:
        return
    shaped = size**1.2  # a young nucleus is round
    table = size * unit * state.width * (shaped * radii + (1 - shaped) * radii.mean())
    depth = _polar_depth(patch, table.astype(np.float32))
    half = np.float32(DEPTHS.get(bone, DEPTH) * table.mean())
    shell = np.float32(SHELL_MM * unit)
    outer = half * ramp(depth, 1.25 * half)
    core = np.maximum(half - shell, np.float32(1e-3))
    inner = core * ramp(depth - shell, 1.25 * core)
    mineral = shell_and_core(outer, inner, np.float32(CARPAL_SPONGY) * canvas.texture[patch.window])
    if bone is Bone.HAMATE:
        mineral = mineral + _hook(patch, unit, size)
    canvas.add(patch, canvas.coverage(depth) * mineral)
    canvas.label(patch, depth, bone.value)


def _hook(patch: Patch, unit: float, size: float) -> np.ndarray:
    """Attenuation of the hook of the hamate, seen end-on as a ring once the bone is nearly grown."""
    along, across = HOOK_CENTRE_MM
    distance = np.hypot(
        patch.along / unit - np.float32(along), 1.2 * (patch.across / unit - np.float32(across))
    )
    ring = np.exp(-(((distance - np.float32(HOOK_RADIUS_MM)) / np.float32(0.7)) ** 2))
    return np.float32(HOOK_MINERAL * unit * np.clip((size - 0.88) / 0.08, 0, 1)) * ring


def carpal_centre(bone: Bone) -> np.ndarray:
    """Centre of a carpal in the adult man's millimetres."""
    return CARPAL_OUTLINES[bone].mean(axis=0)


def _polar_depth(patch: Patch, radii: np.ndarray) -> np.ndarray:
    """Inner distance to an outline given by its radius over the angle, exact to first order at the edge."""
    angle = np.arctan2(patch.along, patch.across) * np.float32(_ANGLES / (2 * np.pi))
    low = np.floor(angle).astype(np.int16)
    part = angle - low
    here, there = radii[low % _ANGLES], radii[(low + 1) % _ANGLES]
    radius = here + part * (there - here)
    slope = (there - here) * np.float32(_ANGLES / (2 * np.pi)) / radius
    return (radius - np.hypot(patch.along, patch.across)) / np.sqrt(1 + slope * slope)


@lru_cache
def _polar_outline(bone: Bone) -> np.ndarray:
    """(128,) radius of the smoothed adult outline about its centre, mm."""
    if bone is Bone.SESAMOID:
        return np.full(_ANGLES, SESAMOID_RADIUS_MM)
    points = CARPAL_FULLNESS * (CARPAL_OUTLINES[bone] - carpal_centre(bone))
    t = np.linspace(0, 1, 8, endpoint=False)[:, None]
    dense = np.concatenate([a + t * (b - a) for a, b in zip(points, np.roll(points, -1, 0), strict=True)])
    angle = np.arctan2(dense[:, 1], dense[:, 0]) % (2 * np.pi)
    order = np.argsort(angle)
    grid = np.arange(_ANGLES) * (2 * np.pi / _ANGLES)
    radii = np.interp(grid, angle[order], np.hypot(*dense[order].T), period=2 * np.pi)
    window = np.hanning(17)[1:-1] / np.hanning(17).sum()
    return np.convolve(np.pad(radii, 7, mode="wrap"), window, mode="valid")
