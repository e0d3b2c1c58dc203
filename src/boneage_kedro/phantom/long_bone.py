"""Draw long bones: shaft, epiphysis, growth plate, and what is left of the plate when it has closed."""

from functools import lru_cache

import numpy as np

from boneage_kedro.phantom.bones import Bone
from boneage_kedro.phantom.canvas import Canvas, Patch
from boneage_kedro.phantom.outlines import LONG_BONE_SHAPES, WIDTH_FACTOR, LongBone
from boneage_kedro.phantom.section import BoneState, chord, ramp, rounded, shell_and_core

SCAR_PER_MM = 0.022  # attenuation of a closed plate above that of spongy bone
END_SHELL_MM = 0.55  # thickness of the plate under an end face, adult
SHELL_MIN_MM = 0.35  # cortex at the ends of a shaft, adult
INFANT_DOME = 0.5  # rounding of a newborn shaft's free end, half-widths
JOINT_GAP_MM = 0.8  # half a joint space, adult

_SAMPLES = 512


def draw_long_bone(canvas: Canvas, bone: Bone, axis: tuple[np.ndarray, np.ndarray], state: BoneState) -> None:
    """Draw a shaft and, as far as it is there, its epiphysis, growth plate, bridge and scar."""
    shape = LONG_BONE_SHAPES[bone]
    length = float(np.linalg.norm(axis[1] - axis[0]))
    factor = state.width * WIDTH_FACTOR.get(bone, 1.0) * length
    heading, reach = (axis[1] - axis[0]) / length, max(shape.half_width) * factor + 2
    patch = canvas.patch(axis[0], heading, (-2, length + 2), reach)
    if patch is None:
        return
    geometry = _Geometry(shape, patch, length, factor, state)
    shaft, epiphysis = geometry.shaft_depth(), geometry.epiphysis_depth()
    texture = canvas.texture[patch.window]
    mineral = canvas.coverage(shaft) * geometry.mineral(shaft, texture)
    canvas.label(patch, shaft, bone.value)
    if epiphysis is not None:
        # The parts of one bone meet and do not overlap: the denser one counts, not the sum.
        cap = canvas.coverage(epiphysis) * geometry.mineral(epiphysis, texture, cap=True)
        mineral = np.maximum(mineral, cap)
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
        self.gap = state.unit * shape.plate_mm * state.stage.gap * (1 - 0.5 * state.stage.fusion)
        plate = shape.plate.inset(self.q) * np.float32(self.width)
        self.plate = np.float32(self.slot) + plate  # where the plate's middle lies, over the patch

    def shaft_depth(self) -> np.ndarray:
        """Inner distance of the shaft, the growth plate excluded."""
        plate_face = self.near - self.plate - np.float32(0.5 * self.gap)
        radius = (0.55 - 0.38 * self.state.shaft) * self.width
        return rounded(self.lateral, np.minimum(self._far_face(), plate_face), radius)

    def whole_depth(self) -> np.ndarray:
        """Inner distance of shaft and epiphysis as one bone."""
        end = self.shape.distal if self.shape.epiphysis_distal else self.shape.proximal
        joint = np.float32(self.state.unit * JOINT_GAP_MM)
        face = self.near - joint - end.inset(self.q) * np.float32(self.width)
        return rounded(self.lateral, np.minimum(self._far_face(), face), 0.12 * self.width)

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
        return rounded(lateral, np.minimum(below - offset, above + offset), radius)

    def mineral(self, depth: np.ndarray, texture: np.ndarray, cap: bool = False) -> np.ndarray:
        """Attenuation of a shell of cortex around spongy bone within a part whose inner distance is `depth`."""
        unit, width = np.float32(self.state.unit), self.half
        shell = np.float32(SHELL_MIN_MM) * unit if cap else self._cortex()
        if cap:
            width = width * np.float32(self.state.stage.size)
        outer = width * chord(self.q * self.half / width) * ramp(depth, 1.4 * unit)
        core = np.maximum(width - shell, np.float32(1e-3))
        end_shell = np.float32(END_SHELL_MM) * unit
        inner = core * chord(self.q * self.half / core) * ramp(depth - end_shell, 1.4 * unit)
        return np.float32(self.shape.flatness) * shell_and_core(outer, inner, texture)

    def bridged(self) -> np.ndarray:
        """How far the plate is bridged by bone, 0 to 1; it begins in the middle and spreads to the rim."""
        fusion = self.state.stage.fusion
        return np.clip(2 * fusion - np.abs(self.q), 0, 1) * np.float32(min(1.0, 2 * fusion))

    def scar(self) -> np.ndarray:
        """Attenuation of the dense line where a plate has closed."""
        thickness = np.float32(0.5 * self.state.unit)
        line = np.exp(-(((self.near - self.plate) / thickness) ** 2))
        strength = np.float32(2 * self.shape.flatness * SCAR_PER_MM * self.state.stage.scar)
        return strength * line * self.half * chord(self.q)

    def _cortex(self) -> np.ndarray:
        """Thickness of the cortex, mm: thick where the shaft is thin."""
        waist = np.float32(min(self.shape.half_width) / max(self.shape.half_width) * self.width)
        slender = np.clip((np.float32(self.width) - self.half) / (np.float32(self.width) - waist), 0, 1)
        thickest = self.shape.cortex * (0.6 + 0.4 * self.state.shaft) * waist
        return SHELL_MIN_MM * self.state.unit + np.float32(thickest) * slender**2

    def _end_width(self) -> np.float32:
        index = 0 if self.shape.epiphysis_distal else -1
        return np.float32(self.width * self.shape.half_width[index] / max(self.shape.half_width))


@lru_cache
def _profile(shape: LongBone) -> np.ndarray:
    return _smooth_table(shape.u, shape.half_width)


def _child_profile(shape: LongBone, maturity: float) -> np.ndarray:
    """Profile at a maturity of the shaft: an infant's bones are stouter, and their waists fuller."""
    profile, youth = _profile(shape), np.float32((1 - maturity) ** 1.5 * shape.infant_fullness)
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
