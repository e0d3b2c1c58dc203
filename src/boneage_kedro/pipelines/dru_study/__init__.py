"""The five structures of paper 002 and a modern network, and what fewer training pictures cost (section 4)."""

from boneage_kedro.pipelines.dru_study.pipeline import create_pipeline

__all__ = ["create_pipeline"]
