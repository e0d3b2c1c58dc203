"""Shapes of the adult bones as tables: profiles of long bones, outlines of carpals.

Drawn for this project after the usual PA anatomy. Long bones are profiles over u, 0 at the proximal and 1 at the
distal joint; a child's shaft and epiphysis are parts of the same profile. Carpal outlines are in the adult man's
millimetres in the hand frame of `skeleton`.
"""

from dataclasses import dataclass

import numpy as np

from boneage_kedro.phantom.bones import Bone


@dataclass(frozen=True)
class End:
    """Shape of a bone's end face: how far it lies inside the joint, in half-widths, over q = -1..1 across.

    Attributes:
        dome: rounding, positive where the middle stands out, negative where it is hollow.
        notch: depth of the groove between two condyles.
        tilt: slant, positive where the thumb's side (q = 1) lies deeper.
        spike: height of a styloid process; it sits on the thumb's side if `spike_q` > 0.
        spike_q: place of the styloid process.
    """

    dome: float = 0.0
    notch: float = 0.0
    tilt: float = 0.0
    spike: float = 0.0
    spike_q: float = 0.0

    def inset(self, q: np.ndarray) -> np.ndarray:
        """Depth of the face below the joint, half-widths, for q of any shape."""
        square = np.minimum(q * q, np.float32(1))
        depth = self.tilt * q + (self.dome * square if self.dome >= 0 else -self.dome * (1 - square))
        if self.notch:
            depth = depth + self.notch * np.exp(-square / 0.12)
        if self.spike:
            depth = depth - self.spike * np.exp(-(((q - self.spike_q) / 0.28) ** 2))
        return depth


@dataclass(frozen=True)
class LongBone:
    """A long bone between its joints.

    Attributes:
        u, half_width: the profile; half-widths as parts of the length.
        proximal, distal: the end faces.
        epiphysis_distal: whether the epiphysis is at the distal end.
        slot: part of the length that the epiphysis and its plate take up, (at birth, at six years, adult).
        cartilage: part of the length left unossified at the other end, (at birth, adult).
        plate: shape of the growth plate seen from the shaft.
        plate_mm: thickness of the open growth plate.
        cortex: thickness of the cortex in the middle, in half-widths there.
        shift: lateral offset of the axis over u, parts of the length.
        flatness: depth towards the film over width.
        infant_fullness: how much stouter and less waisted it is at birth, 0 not at all.
    """

    u: tuple[float, ...]
    half_width: tuple[float, ...]
    proximal: End
    distal: End
    slot: tuple[float, float, float]
    cartilage: tuple[float, float]
    epiphysis_distal: bool = False
    plate: End = End()
    plate_mm: float = 0.9
    cortex: float = 0.42
    shift: tuple[float, ...] = (0.0,) * 11
    flatness: float = 0.85
    infant_fullness: float = 1.0


_CONDYLES = End(dome=0.45, notch=0.12)
_SOCKET = End(dome=-0.16)
_U = (0.0, 0.06, 0.14, 0.24, 0.38, 0.55, 0.7, 0.82, 0.9, 0.96, 1.0)


def _scaled(table: tuple[float, ...], factor: float) -> tuple[float, ...]:
    return tuple(round(factor * value, 4) for value in table)


_PROXIMAL = (0.1848, 0.1958, 0.1848, 0.1606, 0.1298, 0.1133, 0.1122, 0.1276, 0.1452, 0.1474, 0.132)
_MIDDLE = (0.2322, 0.2506, 0.2354, 0.1966, 0.1598, 0.1404, 0.1404, 0.162, 0.1858, 0.1901, 0.1674)
_DISTAL = (0.3045, 0.3255, 0.2888, 0.2205, 0.1575, 0.1208, 0.1103, 0.147, 0.189, 0.1837, 0.126)
_METACARPAL = (0.086, 0.099, 0.095, 0.077, 0.062, 0.058, 0.069, 0.108, 0.12, 0.119, 0.098)

PROXIMAL = LongBone(
    _U, _PROXIMAL, _SOCKET, _CONDYLES, (0.2, 0.14, 0.115), (0.09, 0.012), plate=End(dome=-0.06)
)
MIDDLE = LongBone(
    _U,
    _MIDDLE,
    End(dome=-0.12, notch=-0.1),
    _CONDYLES,
    (0.22, 0.155, 0.13),
    (0.1, 0.015),
    plate=End(dome=-0.05),
)
DISTAL = LongBone(
    _U,
    _DISTAL,
    End(dome=-0.1, notch=-0.1),
    End(dome=0.5),
    (0.26, 0.19, 0.165),
    (0.03, 0.0),
    cortex=0.5,
    infant_fullness=0.6,
)


def _metacarpal(width: float, base: End, shift: tuple[float, ...] = (0.0,) * 11) -> LongBone:
    return LongBone(
        _U,
        _scaled(_METACARPAL, width),
        base,
        End(dome=0.52),
        slot=(0.25, 0.2, 0.185),
        cartilage=(0.055, 0.01),
        epiphysis_distal=True,
        plate=End(dome=-0.05),
        cortex=0.45,
        shift=shift,
        infant_fullness=0.7,
    )


_METACARPAL_1 = LongBone(
    _U,
    (0.168, 0.185, 0.172, 0.145, 0.122, 0.115, 0.122, 0.15, 0.166, 0.165, 0.14),
    End(dome=-0.18, tilt=-0.12),
    End(dome=0.5),
    slot=(0.23, 0.17, 0.145),
    cartilage=(0.09, 0.025),
    plate=End(dome=-0.04),
)
_RADIUS = LongBone(
    (0.0, 0.4, 0.55, 0.7, 0.79, 0.85, 0.895, 0.93, 0.955, 0.975, 1.0),
    (0.036, 0.034, 0.034, 0.036, 0.041, 0.05, 0.061, 0.07, 0.0745, 0.076, 0.072),
    End(),
    End(dome=-0.1, tilt=-0.22),
    slot=(0.075, 0.062, 0.052),
    cartilage=(0.0, 0.0),
    epiphysis_distal=True,
    plate=End(dome=-0.03, tilt=-0.04),
    plate_mm=1.5,
    cortex=0.4,
    flatness=0.46,
    infant_fullness=0.0,
    shift=(0.0, 0.004, 0.003, 0.0, -0.002, -0.003, -0.002, 0.0, 0.0, 0.0, 0.0),
)
_ULNA = LongBone(
    (0.0, 0.4, 0.55, 0.7, 0.8, 0.88, 0.92, 0.95, 0.97, 0.985, 1.0),
    (0.034, 0.032, 0.031, 0.029, 0.028, 0.03, 0.034, 0.039, 0.041, 0.04, 0.036),
    End(),
    End(dome=0.3, spike=0.5, spike_q=-0.68),
    slot=(0.062, 0.055, 0.045),
    cartilage=(0.0, 0.0),
    epiphysis_distal=True,
    plate=End(dome=0.03),
    plate_mm=1.3,
    cortex=0.45,
    flatness=0.6,
    infant_fullness=0.0,
)

LONG_BONE_SHAPES: dict[Bone, LongBone] = {
    Bone.METACARPAL_1: _METACARPAL_1,
    Bone.METACARPAL_2: _metacarpal(1.08, End(dome=-0.1, notch=0.14, tilt=0.05)),
    Bone.METACARPAL_3: _metacarpal(1.06, End(dome=-0.05, tilt=-0.22)),
    Bone.METACARPAL_4: _metacarpal(1.0, End(dome=0.08)),
    Bone.METACARPAL_5: _metacarpal(1.12, End(dome=0.1, tilt=-0.25)),
    Bone.RADIUS: _RADIUS,
    Bone.ULNA: _ULNA,
    **{bone: PROXIMAL for bone in Bone if Bone.PROXIMAL_1 <= bone <= Bone.PROXIMAL_5},
    **{bone: MIDDLE for bone in Bone if Bone.MIDDLE_2 <= bone <= Bone.MIDDLE_5},
    **{bone: DISTAL for bone in Bone if Bone.DISTAL_1 <= bone <= Bone.DISTAL_5},
}

# A short bone is relatively stouter than a long one of the same row.
WIDTH_FACTOR: dict[Bone, float] = {
    Bone.PROXIMAL_1: 1.22,
    Bone.PROXIMAL_5: 1.06,
    Bone.MIDDLE_2: 1.1,
    Bone.MIDDLE_5: 1.14,
    Bone.DISTAL_1: 1.12,
    Bone.DISTAL_5: 0.9,
}

# Factor on the outlines, which are drawn with joint spaces: real ones overlap in projection.
CARPAL_FULLNESS = 1.12
# the corners in turn: x above y, mm
CARPAL_OUTLINES: dict[Bone, np.ndarray] = {
    Bone.CAPITATE: np.array(
        [
            [-6.5, -2, 4.5, 8.5, 8.5, 7.5, 7, 5.5, 1, -4, -6.5, -6.5, -7],
            [35, 36.5, 36.5, 34.5, 28, 21, 16, 11.5, 9.5, 10.5, 15, 21, 28],
        ]
    ).T,
    Bone.HAMATE: np.array(
        [
            [-9, -14, -20.5, -23, -21, -16, -11, -8.3, -8.3, -8.8],
            [35.5, 36, 33, 29, 24, 19, 13.5, 14.5, 21, 28],
        ]
    ).T,
    Bone.TRIQUETRUM: np.array(
        [
            [-24.5, -19, -14, -12.5, -15.5, -22, -27, -28],
            [23.5, 19.5, 14.5, 10, 6, 7, 12, 19],
        ]
    ).T,
    Bone.LUNATE: np.array(
        [
            [-11.5, -6, -1.5, 0, -2, -7.5, -13, -14.8],
            [11.5, 9.3, 8, 4.5, 1, -0.8, 1, 6],
        ]
    ).T,
    Bone.SCAPHOID: np.array(
        [
            [2.5, 6.8, 8.8, 10.5, 14.5, 20.5, 23, 18.5, 14, 9, 4, 0.8],
            [7, 9.5, 14, 20, 23, 22.5, 17.5, 11.5, 7, 2.5, 0.2, 2.2],
        ]
    ).T,
    Bone.TRAPEZOID: np.array(
        [
            [9.8, 9.8, 11, 15, 18.5, 18, 15.5],
            [24, 30, 35, 37, 34, 28, 23.5],
        ]
    ).T,
    Bone.TRAPEZIUM: np.array(
        [
            [17, 18.5, 19.5, 23, 28.5, 32, 33, 29, 22],
            [23, 28, 33.5, 36, 34.5, 29.5, 24.5, 19.5, 20],
        ]
    ).T,
    Bone.PISIFORM: np.array(
        [
            [-24, -19.5, -17.5, -19, -23.5, -25.8],
            [19.5, 19, 15, 10.5, 10, 14.5],
        ]
    ).T,
}
