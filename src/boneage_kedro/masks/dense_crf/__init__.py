"""Fully connected conditional random field that moves soft labels to the edges of a radiograph (paper 000, III.B)."""

from .exact import refine_exactly
from .refine import refine

__all__ = ["refine", "refine_exactly"]
