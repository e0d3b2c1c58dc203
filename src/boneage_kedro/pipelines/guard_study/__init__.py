"""What the guard of `gan_enhance` sees: inventions planted in phantoms, and how often it fires without any."""

from boneage_kedro.pipelines.guard_study.pipeline import create_pipeline

__all__ = ["create_pipeline"]
