"""BoNet, the baseline of `ptl_regression`, and the questions that paper 003 asks of it."""

from boneage_kedro.pipelines.bonet.pipeline import create_pipeline

__all__ = ["create_pipeline"]
