"""A parametric hand radiograph with its truth: for tests, demos and method comparison, never for medicine."""

from .bones import BONES, Bone
from .hand import Phantom, fabricate_hand
from .nuisance import Nuisance, draw_nuisance
from .sheet import contact_sheet
from .skeleton import JOINTS

__all__ = [
    "BONES",
    "JOINTS",
    "Bone",
    "Nuisance",
    "Phantom",
    "contact_sheet",
    "draw_nuisance",
    "fabricate_hand",
]
