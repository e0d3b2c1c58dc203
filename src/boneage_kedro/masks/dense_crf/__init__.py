"""Fully connected conditional random field that moves soft labels to the edges of a radiograph (paper 000, III.B)."""

from .exact import refine_exactly
from .refine import refine
from .settings import CrfSettings, rescale_crf

__all__ = ["CrfSettings", "refine", "refine_exactly", "rescale_crf"]
