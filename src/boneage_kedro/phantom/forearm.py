"""Radius and ulna of a phantom, as people outline them in real radiographs."""

import cv2
import numpy as np

from boneage_kedro.phantom.bones import Bone

_BONES = (Bone.RADIUS, Bone.ULNA)
_PLATE_DEPTH = 0.12  # of the metaphysis, in breadths of the bone, belongs to the outline of the plate


def forearm_mask(bones: np.ndarray) -> np.ndarray:
    """Radius and ulna with epiphysis and growth plate, which ``data/annotations/dru`` has inside the outline.

    The plate's sides are straight lines from the corners of the metaphysis to the epiphysis.

    Args:
        bones: (H, W) uint8, codes of `boneage_kedro.phantom.bones.BONES`.

    Returns:
        (H, W) uint8: 0 background, 1 radius, 2 ulna.
    """
    mask = _CODES[bones]
    left, top, columns, rows = cv2.boundingRect(mask)
    forearm = np.s_[top : top + rows, left : left + columns]
    drawn, near = mask[forearm], bones[forearm]  # views
    for code, bone in enumerate(_BONES, 1):
        shaft, epiphysis = near == bone, near == bone.epiphysis
        if shaft.any() and epiphysis.any():
            drawn[_between(shaft, epiphysis) & (near == 0) & (drawn == 0)] = code
    return mask


def _between(shaft: np.ndarray, epiphysis: np.ndarray) -> np.ndarray:
    """The convex hull of an epiphysis and the end of the shaft that faces it, (H, W) bool."""
    near = np.concatenate([_points(epiphysis), _end(_points(shaft), _points(epiphysis).mean(0))])
    hull = np.zeros(shaft.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(near), 1)
    return hull > 0


def _end(shaft: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """Of the points (N, 2) of a shaft those at its end towards a point."""
    axis = towards - shaft.mean(0)
    axis /= np.hypot(*axis)
    height = shaft @ axis
    across = shaft[:, 0] * axis[1] - shaft[:, 1] * axis[0]
    below = height.max() - height
    # a shaft that leans is less broad near its end than on the whole
    near = across[below <= np.ptp(across)]
    return shaft[below <= _PLATE_DEPTH * (np.ptp(near) + 1)]


def _points(mask: np.ndarray) -> np.ndarray:
    """x and y of the pixels, (N, 2) int32."""
    return np.argwhere(mask)[:, ::-1].astype(np.int32)


def _codes() -> np.ndarray:
    """(256,) uint8, from codes of bones to codes of the mask."""
    codes = np.zeros(256, np.uint8)
    for code, bone in enumerate(_BONES, 1):
        codes[[bone, bone.epiphysis]] = code
    return codes


_CODES = _codes()
