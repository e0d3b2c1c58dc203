"""Which masks are worth drawing: rules of asking for them held against each other (paper 001, section 3.2)."""

from boneage_kedro.pipelines.hand_study.pipeline import create_pipeline

__all__ = ["create_pipeline"]
