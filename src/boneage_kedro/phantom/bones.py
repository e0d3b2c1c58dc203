"""The bones of the hand and the codes they have in a label map."""

from enum import IntEnum

import numpy as np


class Bone(IntEnum):
    """A bone of the hand; the value is its code in `Phantom.bones` (0 is background).

    Fingers are numbered from the thumb (1) to the little finger (5).
    """

    METACARPAL_1 = 1
    METACARPAL_2 = 2
    METACARPAL_3 = 3
    METACARPAL_4 = 4
    METACARPAL_5 = 5
    PROXIMAL_1 = 6
    PROXIMAL_2 = 7
    PROXIMAL_3 = 8
    PROXIMAL_4 = 9
    PROXIMAL_5 = 10
    MIDDLE_2 = 11
    MIDDLE_3 = 12
    MIDDLE_4 = 13
    MIDDLE_5 = 14
    DISTAL_1 = 15
    DISTAL_2 = 16
    DISTAL_3 = 17
    DISTAL_4 = 18
    DISTAL_5 = 19
    CAPITATE = 21
    HAMATE = 22
    TRIQUETRUM = 23
    LUNATE = 24
    SCAPHOID = 25
    TRAPEZIUM = 26
    TRAPEZOID = 27
    PISIFORM = 28
    SESAMOID = 29
    RADIUS = 31
    ULNA = 32

    @property
    def epiphysis(self) -> int:
        """Code of this bone's epiphysis while it lies apart from the shaft.

        Raises:
            ValueError: a carpal or the sesamoid, which has none.
        """
        if self in ROUND_BONES:
            raise ValueError(f"{self.name.lower()} has no epiphysis")
        return self.value + EPIPHYSIS_OFFSET


EPIPHYSIS_OFFSET = 40
ROUND_BONES = tuple(bone for bone in Bone if Bone.CAPITATE <= bone <= Bone.SESAMOID)
LONG_BONES = tuple(bone for bone in Bone if bone not in ROUND_BONES)

BONES: dict[int, str] = {bone.value: bone.name.lower() for bone in Bone} | {
    bone.epiphysis: f"{bone.name.lower()}_epiphysis" for bone in LONG_BONES
}
"""Every code of a label map with its name, epiphyses included."""

PHALANX_CLASSES = ("distal", "middle", "proximal")
"""Classes of a phalanx mask, codes 1 to 3; 0 is background."""


def phalanx_mask(bones: np.ndarray) -> np.ndarray:
    """The phalanges of a label map by their row, epiphyses included; the thumb has a proximal and a distal one.

    Args:
        bones: (H, W) uint8, codes of `BONES`, as in `Phantom.bones`.

    Returns:
        (H, W) uint8: codes of `PHALANX_CLASSES`. An open growth plate is background.
    """
    return _PHALANX_CODES[bones]


def _phalanx_codes() -> np.ndarray:
    """(256,) uint8, from codes of bones to codes of phalanges."""
    codes = np.zeros(256, np.uint8)
    for bone in LONG_BONES:
        row = bone.name.split("_")[0].lower()
        if row in PHALANX_CLASSES:
            codes[[bone.value, bone.epiphysis]] = PHALANX_CLASSES.index(row) + 1
    return codes


_PHALANX_CODES = _phalanx_codes()
