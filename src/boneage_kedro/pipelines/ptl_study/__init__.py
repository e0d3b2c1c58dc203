"""Paced transfer learning against other strategies on equal terms (paper 001, section 3.4, figures 11 and 12)."""

from boneage_kedro.pipelines.ptl_study.pipeline import create_pipeline

__all__ = ["create_pipeline"]
