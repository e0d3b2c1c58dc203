"""Wiring of `finger_selftrain`."""

from kedro.pipeline import Node, Pipeline

from boneage_kedro.pipelines.finger_selftrain.nodes import (
    collect_finger_metrics,
    draw_finger_masks,
    predict_finger_masks,
    score_finger_masks,
    store_finger_masks,
    train_finger_student,
)
from boneage_kedro.pipelines.mask_steps import list_mask_problems


def store_masks_node() -> Node:
    """The first step of every pipeline that learns from masks of phalanges."""
    return Node(
        store_finger_masks,
        inputs=["finger_mask_files@files", "image_store", "finger_masks_state", "params:finger_selftrain"],
        outputs="finger_masks",
        name="store_finger_masks",
    )


def create_pipeline() -> Pipeline:
    """Masks that people drew, a student that learns from them and from itself, and masks for every hand."""
    return Pipeline(
        [
            store_masks_node(),
            Node(
                list_mask_problems,
                inputs=["finger_masks", "finger_mask_files@files"],
                outputs="finger_mask_findings",
                name="list_mask_problems",
            ),
            Node(
                train_finger_student,
                inputs=[
                    "image_store",
                    "splits",
                    "finger_masks",
                    "finger_mask_files@files",
                    "pretrained_weights",
                    "finger_checkpoint",
                    "params:finger_selftrain",
                ],
                outputs=["finger_weights@tensors", "finger_settings@json", "finger_rounds"],
                name="train_finger_student",
            ),
            Node(
                predict_finger_masks,
                inputs=[
                    "image_store",
                    "finger_weights@tensors",
                    "finger_settings@json",
                    "phalanx_masks_state",
                    "params:finger_selftrain",
                ],
                outputs="phalanx_masks",
                name="predict_finger_masks",
            ),
            Node(
                score_finger_masks,
                inputs=[
                    "phalanx_masks",
                    "finger_mask_files@files",
                    "image_store",
                    "splits",
                    "finger_masks",
                    "params:finger_selftrain",
                ],
                outputs=["finger_scores", "finger_summary@table"],
                name="score_finger_masks",
            ),
            Node(
                draw_finger_masks,
                inputs=[
                    "image_store",
                    "phalanx_masks",
                    "cases",
                    "finger_rounds",
                    "params:finger_selftrain",
                    "params:data_prep.source_name",
                ],
                outputs=["finger_sheet@figure", "finger_curve@figure"],
                name="draw_finger_masks",
            ),
            Node(
                collect_finger_metrics,
                inputs=["finger_rounds", "finger_summary@table"],
                outputs="finger_metrics",
                name="collect_finger_metrics",
            ),
        ],
        tags="finger_selftrain",
    )
