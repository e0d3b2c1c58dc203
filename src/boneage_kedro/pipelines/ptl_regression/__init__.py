"""Bone age by paced transfer learning, beside plain fine-tuning and a constant guess."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
