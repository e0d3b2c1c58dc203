"""The model as one folder to hand over."""

from boneage_kedro.pipelines.package.pipeline import create_pipeline

__all__ = ["create_pipeline"]
