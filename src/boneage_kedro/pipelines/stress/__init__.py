"""What the age regressor makes of radiographs as other departments and scanners would have handed them on."""

from boneage_kedro.pipelines.stress.pipeline import create_pipeline

__all__ = ["create_pipeline"]
