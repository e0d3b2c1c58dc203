"""Wiring of `explain`."""

from kedro.pipeline import Node, Pipeline

from boneage_kedro.pipelines.age_pictures import age_pictures
from boneage_kedro.pipelines.explain.nodes import (
    check_by_deletion,
    check_by_random_layers,
    choose_checked_cases,
    collect_checks,
    count_by_region,
    draw_attention,
    draw_checks,
    draw_error_panels,
    draw_mean_hands,
    draw_regions,
    locate_joints,
    map_test_cases,
)

_DRAWN = [
    "attention_maps",
    "ptl_settings",
    "attention_table",
    "params:explain",
    "params:data_prep.source_name",
]
_CHECKED = [
    "checked_maps",
    "ptl_weights",
    "ptl_settings",
    "params:ptl_regression.fit",
    "params:explain",
]


def create_pipeline() -> Pipeline:
    """Maps of the test part, then figures of them, and checks that they belong to what the network has learnt."""
    pictures = age_pictures()
    return Pipeline(
        [
            Node(
                map_test_cases,
                inputs=[
                    pictures,
                    "ptl_predictions",
                    "ptl_weights",
                    "ptl_settings",
                    "params:ptl_regression.fit",
                    "params:explain",
                ],
                outputs=["attention_maps", "attention_table"],
                name="map_test_cases",
            ),
            Node(
                draw_attention,
                inputs=[pictures, *_DRAWN],
                outputs=["attention_sheet@figure", "mean_attention@figure"],
                name="draw_attention",
            ),
            Node(
                draw_error_panels,
                inputs=[pictures, *_DRAWN],
                outputs="error_panels@figure",
                name="draw_error_panels",
            ),
            Node(
                locate_joints,
                inputs=[pictures, "attention_table", "hand_joints_if_any", "phantom_truth_if_any"],
                outputs="attention_joints",
                name="locate_joints",
            ),
            Node(
                count_by_region,
                inputs=[
                    pictures,
                    "attention_maps",
                    "ptl_settings",
                    "attention_table",
                    "attention_joints",
                    "bones_if_any",
                    "drawn_hands_if_any",
                    "hand_masks@if_any",
                ],
                outputs=["attention_by_region", "attention_regions@table"],
                name="count_by_region",
            ),
            Node(
                draw_regions,
                inputs=["attention_regions@table", "params:data_prep.source_name"],
                outputs="region_bars@figure",
                name="draw_regions",
            ),
            Node(
                draw_mean_hands,
                inputs=[
                    pictures,
                    *_DRAWN,
                    "attention_joints",
                    "drawn_hands_if_any",
                    "hand_masks@if_any",
                    "hand_quality@if_any",
                ],
                outputs="mean_hands@figure",
                name="draw_mean_hands",
            ),
            Node(
                choose_checked_cases,
                inputs=["attention_table", "params:explain"],
                outputs="checked_maps",
                name="choose_checked_cases",
            ),
            Node(
                check_by_deletion,
                inputs=[pictures, *_CHECKED],
                outputs=["attention_deletion", "attention_areas@table"],
                name="check_by_deletion",
            ),
            Node(
                check_by_random_layers,
                inputs=[pictures, *_CHECKED],
                outputs="attention_likeness",
                name="check_by_random_layers",
            ),
            Node(
                draw_checks,
                inputs=["attention_deletion", "attention_likeness", "params:data_prep.source_name"],
                outputs=["deletion_curves@figure", "random_layers@figure"],
                name="draw_checks",
            ),
            Node(
                collect_checks,
                inputs=["attention_areas@table", "attention_likeness"],
                outputs="attention_metrics",
                name="collect_checks",
            ),
        ],
        tags="explain",
    )
