"""Wiring of `finger_crf`."""

from kedro.pipeline import Node, Pipeline

from boneage_kedro.pipelines.finger_crf.nodes import tune_finger_crf


def create_pipeline() -> Pipeline:
    """The student that `finger_selftrain` has trained, and settings for its teacher."""
    return Pipeline(
        [
            Node(
                tune_finger_crf,
                inputs=[
                    "image_store",
                    "splits",
                    "finger_masks",
                    "finger_weights@tensors",
                    "finger_settings@json",
                    "params:finger_selftrain",
                    "params:finger_crf",
                ],
                outputs=["finger_crf_best", "finger_crf_tried@table"],
                name="tune_finger_crf",
            )
        ],
        tags="finger_crf",
    )
