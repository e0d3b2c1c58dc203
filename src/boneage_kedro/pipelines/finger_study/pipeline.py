"""Wiring of `finger_study`."""

from kedro.pipeline import Node, Pipeline

from boneage_kedro.pipelines.finger_selftrain.pipeline import store_masks_node
from boneage_kedro.pipelines.finger_study.nodes import (
    collect_study_metrics,
    draw_study,
    run_finger_study,
    summarise_study,
)


def create_pipeline() -> Pipeline:
    """Arms and seeds, then a table and a curve of them."""
    return Pipeline(
        [
            store_masks_node(),
            Node(
                run_finger_study,
                inputs=[
                    "image_store",
                    "splits",
                    "finger_masks",
                    "finger_mask_files@files",
                    "pretrained_weights",
                    "finger_study_checkpoint",
                    "params:finger_selftrain",
                    "params:finger_study",
                ],
                outputs="finger_study@table",
                name="run_finger_study",
            ),
            Node(
                summarise_study,
                inputs=["finger_study@table", "params:finger_study"],
                outputs="finger_study_summary@table",
                name="summarise_finger_study",
            ),
            Node(
                draw_study,
                inputs=["finger_study@table", "params:finger_study", "params:data_prep.source_name"],
                outputs="finger_study_curve@figure",
                name="draw_finger_study",
            ),
            Node(
                collect_study_metrics,
                inputs="finger_study@table",
                outputs="finger_study_metrics",
                name="collect_finger_study_metrics",
            ),
        ],
        tags="finger_study",
    )
