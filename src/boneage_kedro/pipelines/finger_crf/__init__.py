"""The choice of the dense CRF's settings on annotated pictures (paper 000, section IV.A)."""

from boneage_kedro.pipelines.finger_crf.pipeline import create_pipeline

__all__ = ["create_pipeline"]
