"""Masks of the hand by a committee that asks for the masks it disagrees on most (paper 001, sections 2.1, 2.2)."""

from boneage_kedro.pipelines.hand_active_learning.pipeline import create_pipeline

__all__ = ["create_pipeline"]
