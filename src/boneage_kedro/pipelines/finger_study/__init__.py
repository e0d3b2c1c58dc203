"""The experiment of paper 000, table II, and the choice of the dense CRF's settings."""

from boneage_kedro.pipelines.finger_study.pipeline import create_pipeline

__all__ = ["create_pipeline"]
