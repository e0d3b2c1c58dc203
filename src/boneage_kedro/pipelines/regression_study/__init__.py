"""What stages of the chain and ways of training are worth for the age, over seeds (paper 001, section 3.4)."""

from boneage_kedro.pipelines.regression_study.pipeline import create_pipeline

__all__ = ["create_pipeline"]
