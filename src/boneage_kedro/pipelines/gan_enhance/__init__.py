"""One contrast for every hand: a conditional GAN under a guard, beside plain methods (paper 001, section 3.3)."""

from boneage_kedro.pipelines.gan_enhance.pipeline import create_pipeline

__all__ = ["create_pipeline"]
