"""A parametric hand radiograph with its truth: for tests, demos and method comparison, never for medicine."""

from .bones import BONES, PHALANX_CLASSES, Bone, phalanx_mask
from .hand import Phantom, fabricate_hand
from .nuisance import Nuisance, draw_nuisance
from .sheet import contact_sheet
from .skeleton import JOINTS

__all__ = [
    "BONES",
    "JOINTS",
    "PHALANX_CLASSES",
    "Bone",
    "Nuisance",
    "Phantom",
    "contact_sheet",
    "draw_nuisance",
    "fabricate_hand",
    "phalanx_mask",
]
