"""What losses and discriminators of the enhancer are worth, over seeds and beside plain methods."""

from boneage_kedro.pipelines.gan_study.pipeline import create_pipeline

__all__ = ["create_pipeline"]
