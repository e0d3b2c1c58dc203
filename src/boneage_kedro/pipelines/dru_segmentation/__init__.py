"""Radius and ulna: the block is found, cut out with a margin, and segmented (paper 002)."""

from boneage_kedro.pipelines.dru_segmentation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
