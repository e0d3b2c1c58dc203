"""Masks of the phalanges by a student that learns from its own refined predictions (paper 000)."""

from boneage_kedro.pipelines.finger_selftrain.pipeline import create_pipeline

__all__ = ["create_pipeline"]
