"""Reading, checking and preparing radiographs and labels; one split; the image store."""

from boneage_kedro.pipelines.data_prep.pipeline import create_pipeline

__all__ = ["create_pipeline"]
