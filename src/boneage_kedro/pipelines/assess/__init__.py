"""Bone ages of new files, with a trained network."""

from boneage_kedro.pipelines.assess.pipeline import create_pipeline

__all__ = ["create_pipeline"]
