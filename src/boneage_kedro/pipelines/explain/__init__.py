"""Class activation maps of the very model that predicts."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
