"""Cross-sections of bones: a cortical shell around spongy bone, seen along the ray.

Bones are told by inner distances in their own coordinates, so edges are exact to a fraction of a pixel and no
supersampling is needed. Sections are ellipses, so the shell looks dense where the ray is tangent to it.
"""

from dataclasses import dataclass

import numpy as np

from boneage_kedro.phantom.maturity import Stage

# Attenuation above that of soft tissue, per mm, at the mean energy behind a hand (about 35 keV).
CORTICAL_PER_MM = 0.16
SPONGY_PER_MM = 0.025


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


def shell_and_core(outer: np.ndarray, inner: np.ndarray, texture: np.ndarray) -> np.ndarray:
    """Attenuation of half-chords (mm) of a bone and of the spongy core within it."""
    cortical = np.float32(2 * CORTICAL_PER_MM) * np.maximum(outer - inner, 0)
    return cortical + np.float32(2 * SPONGY_PER_MM) * texture * inner


def rounded(lateral: np.ndarray, end: np.ndarray, radius: float) -> np.ndarray:
    """Smaller of two inner distances, with corners rounded to a radius."""
    r = np.float32(radius)
    a, b = np.maximum(r - lateral, 0), np.maximum(r - end, 0)
    corner = r - np.sqrt(a * a + b * b)
    return np.where((lateral < r) & (end < r), corner, np.minimum(lateral, end))


def chord(q: np.ndarray) -> np.ndarray:
    """Half chord of the unit circle at q, 0 outside."""
    return np.sqrt(np.maximum(1 - q * q, 0))


def ramp(depth: np.ndarray, length: float | np.floating | np.ndarray) -> np.ndarray:
    """Rounded rise from 0 at the edge to 1 at a depth of `length`."""
    rest = 1 - np.clip(depth / length, 0, 1)
    return np.sqrt(1 - rest * rest)
