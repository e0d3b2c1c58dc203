"""Wiring of `fabricate`."""

from kedro.pipeline import Node, Pipeline

from boneage_kedro.pipelines.fabricate.nodes import draw_phantom_cases, fabricate_hands


def create_pipeline() -> Pipeline:
    """Cases, then their radiographs with the truth."""
    return Pipeline(
        [
            Node(
                draw_phantom_cases,
                inputs="params:fabricate",
                outputs="raw_labels@phantom",
                name="draw_phantom_cases",
            ),
            Node(
                fabricate_hands,
                inputs=["raw_labels@phantom", "params:fabricate"],
                outputs=[
                    "raw_radiographs@phantom",
                    "hand_mask_files@phantom",
                    "finger_mask_files@phantom",
                    "phantom_bones",
                    "dru_outlines@phantom",
                    "phantom_truth",
                ],
                name="fabricate_hands",
            ),
        ],
        tags="fabricate",
    )
