"""One contrast for every hand: a conditional GAN beside plain methods, under a guard (paper 001, sections 2.3, 3.3)."""

from boneage_kedro.pipelines.gan_enhance.pipeline import create_pipeline

__all__ = ["create_pipeline"]
