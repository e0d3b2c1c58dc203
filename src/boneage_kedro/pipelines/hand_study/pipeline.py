"""Wiring of `hand_study`."""

from kedro.pipeline import Node, Pipeline

from boneage_kedro.pipelines.hand_active_learning.pipeline import store_drawn_hands_node
from boneage_kedro.pipelines.hand_study.nodes import (
    collect_hand_rules,
    draw_hand_rules,
    run_hand_rules,
    summarise_hand_rules,
)


def create_pipeline() -> Pipeline:
    """Arms and seeds, then a table and a curve of them."""
    return Pipeline(
        [
            store_drawn_hands_node(),
            Node(
                run_hand_rules,
                inputs=[
                    "image_store",
                    "splits",
                    "drawn_hands",
                    "hand_mask_files@files",
                    "pretrained_weights",
                    "hand_study_checkpoint",
                    "params:hand_active_learning",
                    "params:hand_study",
                ],
                outputs="hand_study",
                name="run_hand_rules",
            ),
            Node(
                summarise_hand_rules,
                inputs=["hand_study", "params:hand_study"],
                outputs="hand_study_summary@table",
                name="summarise_hand_rules",
            ),
            Node(
                draw_hand_rules,
                inputs=["hand_study", "params:data_prep.source_name"],
                outputs="hand_study_curve@figure",
                name="draw_hand_rules",
            ),
            Node(
                collect_hand_rules,
                inputs="hand_study",
                outputs="hand_study_metrics",
                name="collect_hand_rules",
            ),
        ],
        tags="hand_study",
    )
