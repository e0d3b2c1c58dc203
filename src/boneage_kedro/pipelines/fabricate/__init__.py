"""Make radiographs with known truth: the phantom in place of real children."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
