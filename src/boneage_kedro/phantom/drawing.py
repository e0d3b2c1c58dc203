"""Draw single bones: a cortical shell around spongy bone, in the shape its maturity gives it.

Bones are told by inner distances in their own coordinates, so edges are exact to a fraction of a pixel and no
supersampling is needed. Sections are ellipses, so the shell looks dense where the ray is tangent to it.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from boneage_kedro.phantom.bones import Bone
from boneage_kedro.phantom.canvas import Canvas, Patch
from boneage_kedro.phantom.maturity import Stage
from boneage_kedro.phantom.outlines import (
    CARPAL_FULLNESS,
    CARPAL_OUTLINES,
    LONG_BONE_SHAPES,
    WIDTH_FACTOR,
    LongBone,
)

# Attenuation above that of soft tissue, per mm, at the mean energy behind a hand (about 35 keV).
CORTICAL_PER_MM = 0.16
SPONGY_PER_MM = 0.03
SCAR_PER_MM = 0.022

END_SHELL_MM = 0.55  # thickness of the plate under an end face, adult
SHELL_MIN_MM = 0.35  # cortex at the ends of a shaft, adult
PLATE_GAP_MM = 1.0  # open growth plate, adult millimetres
INFANT_DOME = 0.5  # rounding of a newborn shaft's free end, half-widths
JOINT_GAP_MM = 0.8  # half a joint space, adult
ROUND_BONE_DEPTH = {
    Bone.PISIFORM: 0.75,
    Bone.SESAMOID: 1.0,
}  # half depth over mean radius; of the others 0.56
HOOK_CENTRE_MM, HOOK_RADIUS_MM = (1.5, -0.5), 2.6  # (along, across) from the hamate's centre
HOOK_MINERAL = 0.22  # attenuation of its rim


@dataclass(frozen=True)
class BoneState:
    """What the drawing of one bone needs besides its place.

    Attributes:
        unit: millimetres of this hand for one of the adult man's.
        stage: of its centre.
        shaft: `shaft_maturity` of the hand.
        width: individual factor on its width.
    """

    unit: float
    stage: Stage
    shaft: float
    width: float = 1.0


def draw_long_bone(canvas: Canvas, bone: Bone, axis: tuple[np.ndarray, np.ndarray], state: BoneState) -> None:
    """Draw a shaft and, as far as it is there, its epiphysis, growth plate, bridge and scar."""
    shape = LONG_BONE_SHAPES[bone]
    length = float(np.linalg.norm(axis[1] - axis[0]))
    factor = state.width * WIDTH_FACTOR.get(bone, 1.0) * length
    patch = canvas.patch(
        axis[0], (axis[1] - axis[0]) / length, (-2, length + 2), max(shape.half_width) * factor + 2
    )
    if patch is None:
        return
    geometry = _Geometry(shape, patch, length, factor, state)
    shaft, epiphysis = geometry.shaft_depth(), geometry.epiphysis_depth()
    texture = canvas.texture[patch.window]
    mineral = canvas.coverage(shaft) * geometry.mineral(shaft, texture)
    canvas.label(patch, shaft, bone.value)
    if epiphysis is not None:
        # The parts of one bone meet and do not overlap: the denser one counts, not the sum.
        mineral = np.maximum(
            mineral, canvas.coverage(epiphysis) * geometry.mineral(epiphysis, texture, cap=True)
        )
        canvas.label(patch, epiphysis, bone.epiphysis)
    if state.stage.fusion > 0:
        whole, bridged = geometry.whole_depth(), geometry.bridged()
        mineral += bridged * (canvas.coverage(whole) * geometry.mineral(whole, texture) - mineral)
        mineral += canvas.coverage(whole) * geometry.scar()
        if state.stage.fusion >= 1:
            canvas.label(patch, whole, bone.value)
    canvas.add(patch, mineral)


class _Geometry:
    """Inner distances (mm) and ray lengths of one long bone on its patch."""

    def __init__(self, shape: LongBone, patch: Patch, length: float, factor: float, state: BoneState) -> None:
        self.shape, self.state, self.length = shape, state, length
        index = np.clip(patch.along * np.float32(_SAMPLES / length), 0, _SAMPLES - 1).astype(np.int16)
        self.half = _child_profile(shape, state.shaft)[index] * np.float32(factor)
        across = patch.across
        if any(shape.shift):
            across = across - _shift(shape)[index] * np.float32(length)
        self.q = across / self.half
        self.lateral = self.half - np.abs(across)
        # Measured from the joint at the epiphysis, and from the other joint.
        self.near = length - patch.along if shape.epiphysis_distal else patch.along
        self.far = length - self.near
        self.width = max(shape.half_width) * factor
        at_birth, at_six, adult = shape.slot
        self.slot = length * float(np.interp(state.shaft, [0, 0.58, 1], [at_birth, at_six, adult]))
        self.gap = state.unit * PLATE_GAP_MM * state.stage.gap * (1 - 0.5 * state.stage.fusion)
        plate = shape.plate.inset(self.q) * np.float32(self.width)
        self.plate = np.float32(self.slot) + plate  # where the plate's middle lies, over the patch

    def shaft_depth(self) -> np.ndarray:
        """Inner distance of the shaft, the growth plate excluded."""
        plate_face = self.near - self.plate - np.float32(0.5 * self.gap)
        radius = (0.55 - 0.38 * self.state.shaft) * self.width
        return _rounded(self.lateral, np.minimum(self._far_face(), plate_face), radius)

    def whole_depth(self) -> np.ndarray:
        """Inner distance of shaft and epiphysis as one bone."""
        end = self.shape.distal if self.shape.epiphysis_distal else self.shape.proximal
        joint = np.float32(self.state.unit * JOINT_GAP_MM)
        face = self.near - joint - end.inset(self.q) * np.float32(self.width)
        return _rounded(self.lateral, np.minimum(self._far_face(), face), 0.12 * self.width)

    def _far_face(self) -> np.ndarray:
        """Depth below the end that has no epiphysis."""
        at_birth, adult = self.shape.cartilage
        rest = self.length * (at_birth + (adult - at_birth) * self.state.shaft)
        end = self.shape.proximal if self.shape.epiphysis_distal else self.shape.distal
        # an infant's end is a round knob, its condyles still cartilage
        inset = end.inset(self.q) + np.float32(INFANT_DOME * (1 - self.state.shaft)) * self.q * self.q
        return self.far - np.float32(rest) - inset * self._end_width()

    def epiphysis_depth(self) -> np.ndarray | None:
        """Inner distance of the epiphysis, or None before it appears."""
        stage = self.state.stage
        if stage.size <= 0:
            return None
        end = self.shape.distal if self.shape.epiphysis_distal else self.shape.proximal
        joint = self.state.unit * JOINT_GAP_MM
        middle = joint + 0.55 * (self.slot - joint)
        q = self.q / np.float32(stage.size)
        lateral = self.lateral - np.float32(1 - stage.size) * self.half
        reach = np.float32(stage.thickness)
        below = reach * (self.plate - np.float32(middle + 0.5 * self.gap))
        above = reach * (np.float32(middle - joint) - end.inset(q) * np.float32(self.width))
        offset = self.near - np.float32(middle)
        radius = (0.12 + 0.5 * (1 - stage.size)) * self.width * stage.size
        return _rounded(lateral, np.minimum(below - offset, above + offset), radius)

    def mineral(self, depth: np.ndarray, texture: np.ndarray, cap: bool = False) -> np.ndarray:
        """Attenuation of a shell of cortex around spongy bone within a part whose inner distance is `depth`."""
        unit, width = np.float32(self.state.unit), self.half
        shell = np.float32(SHELL_MIN_MM) * unit if cap else self._cortex()
        if cap:
            width = width * np.float32(self.state.stage.size)
        outer = width * _chord(self.q * self.half / width) * _ramp(depth, 1.4 * unit)
        core = np.maximum(width - shell, np.float32(1e-3))
        end_shell = np.float32(END_SHELL_MM) * unit
        inner = core * _chord(self.q * self.half / core) * _ramp(depth - end_shell, 1.4 * unit)
        spongy = inner * (np.float32(SPONGY_PER_MM) * texture)
        return np.float32(2 * self.shape.flatness) * (
            np.float32(CORTICAL_PER_MM) * np.maximum(outer - inner, 0) + spongy
        )

    def bridged(self) -> np.ndarray:
        """How far the plate is bridged by bone, 0 to 1; it begins in the middle and spreads to the rim."""
        fusion = self.state.stage.fusion
        return np.clip(2 * fusion - np.abs(self.q), 0, 1) * np.float32(min(1.0, 2 * fusion))

    def scar(self) -> np.ndarray:
        """Attenuation of the dense line where a plate has closed."""
        thickness = np.float32(0.5 * self.state.unit)
        line = np.exp(-(((self.near - self.plate) / thickness) ** 2))
        return (
            np.float32(2 * self.shape.flatness * SCAR_PER_MM * self.state.stage.scar)
            * line
            * self.half
            * _chord(self.q)
        )

    def _cortex(self) -> np.ndarray:
        """Thickness of the cortex, mm: thick where the shaft is thin."""
        waist = np.float32(min(self.shape.half_width) / max(self.shape.half_width) * self.width)
        slender = np.clip((np.float32(self.width) - self.half) / (np.float32(self.width) - waist), 0, 1)
        thickest = self.shape.cortex * (0.6 + 0.4 * self.state.shaft) * waist
        return SHELL_MIN_MM * self.state.unit + np.float32(thickest) * slender**2

    def _end_width(self) -> np.float32:
        index = 0 if self.shape.epiphysis_distal else -1
        return np.float32(self.width * self.shape.half_width[index] / max(self.shape.half_width))


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
    half = np.float32(ROUND_BONE_DEPTH.get(bone, 0.56) * table.mean())
    shell = np.float32(0.5 * unit)
    outer = half * _ramp(depth, 1.25 * half)
    inner = (half - shell) * _ramp(depth - shell, 1.25 * (half - shell))
    texture = canvas.texture[patch.window]
    spongy = np.float32(1.25 * SPONGY_PER_MM) * inner * texture
    mineral = 2 * (np.float32(CORTICAL_PER_MM) * np.maximum(outer - inner, 0) + spongy)
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
    return np.float32(HOOK_MINERAL * unit * np.clip((size - 0.85) / 0.1, 0, 1)) * ring


def carpal_centre(bone: Bone) -> np.ndarray:
    """Centre of a carpal in the adult man's millimetres."""
    return CARPAL_OUTLINES[bone].mean(axis=0)


_ANGLES = 128
_SAMPLES = 512


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
        return np.full(_ANGLES, 2.6)
    points = CARPAL_FULLNESS * (CARPAL_OUTLINES[bone] - carpal_centre(bone))
    t = np.linspace(0, 1, 8, endpoint=False)[:, None]
    dense = np.concatenate([a + t * (b - a) for a, b in zip(points, np.roll(points, -1, 0), strict=True)])
    angle = np.arctan2(dense[:, 1], dense[:, 0]) % (2 * np.pi)
    order = np.argsort(angle)
    grid = np.arange(_ANGLES) * (2 * np.pi / _ANGLES)
    radii = np.interp(grid, angle[order], np.hypot(*dense[order].T), period=2 * np.pi)
    window = np.hanning(17)[1:-1] / np.hanning(17).sum()
    return np.convolve(np.pad(radii, 7, mode="wrap"), window, mode="valid")


@lru_cache
def _profile(shape: LongBone) -> np.ndarray:
    return _smooth_table(shape.u, shape.half_width)


def _child_profile(shape: LongBone, maturity: float) -> np.ndarray:
    """Profile at a maturity of the shaft: an infant's bones are stouter, and their waists fuller."""
    profile, youth = _profile(shape), np.float32((1 - maturity) * shape.infant_fullness)
    waist = np.maximum(0.62 * profile.max() - profile, 0)
    return profile * (1 + 0.35 * youth) + youth * waist


@lru_cache
def _shift(shape: LongBone) -> np.ndarray:
    return _smooth_table(shape.u, shape.shift)


def _smooth_table(u: tuple[float, ...], values: tuple[float, ...]) -> np.ndarray:
    """(512,) float32 samples of a table over 0..1, without its corners."""
    dense = np.interp(np.linspace(0, 1, _SAMPLES), u, values)
    window = np.hanning(49) / np.hanning(49).sum()
    return np.convolve(np.pad(dense, 24, mode="edge"), window, mode="valid").astype(np.float32)


def _rounded(lateral: np.ndarray, end: np.ndarray, radius: float) -> np.ndarray:
    """Smaller of two inner distances, with corners rounded to a radius."""
    r = np.float32(radius)
    a, b = np.maximum(r - lateral, 0), np.maximum(r - end, 0)
    corner = r - np.sqrt(a * a + b * b)
    return np.where((lateral < r) & (end < r), corner, np.minimum(lateral, end))


def _chord(q: np.ndarray) -> np.ndarray:
    """Half chord of the unit circle at q, 0 outside."""
    return np.sqrt(np.maximum(1 - q * q, 0))


def _ramp(depth: np.ndarray, length: float | np.floating | np.ndarray) -> np.ndarray:
    """Rounded rise from 0 at the edge to 1 at a depth of `length`."""
    rest = 1 - np.clip(depth / length, 0, 1)
    return np.sqrt(1 - rest * rest)
