"""Wiring of `stress`."""

from kedro.pipeline import Node, Pipeline

from boneage_kedro.pipelines.age_pictures import enhancer, hand_committee
from boneage_kedro.pipelines.stress.nodes import (
    choose_stressed_cases,
    collect_stress,
    draw_stress,
    judge_stress,
    run_stress_test,
)


def create_pipeline() -> Pipeline:
    """The network that `ptl_regression` has trained, and radiographs of the test part in many transformations."""
    return Pipeline(
        [
            Node(
                choose_stressed_cases,
                inputs=["ptl_predictions", "cases", "params:stress"],
                outputs="stressed_cases",
                name="choose_stressed_cases",
            ),
            Node(
                run_stress_test,
                inputs=[
                    "stressed_cases",
                    "raw_radiographs@files",
                    "ptl_weights",
                    "ptl_settings",
                    "ptl_intervals",
                    "ptl_familiarity_weights",
                    "ptl_familiarity_settings",
                    "stress_checkpoint",
                    "params:ptl_regression.fit",
                    "params:stress",
                    *hand_committee(),
                    *enhancer(),
                ],
                outputs="stress_predictions",
                name="run_stress_test",
            ),
            Node(
                judge_stress,
                inputs=["stress_predictions", "stressed_cases", "params:stress"],
                outputs="stress_comparison@table",
                name="judge_stress",
            ),
            Node(
                draw_stress,
                inputs=[
                    "stress_comparison@table",
                    "stressed_cases",
                    "raw_radiographs@files",
                    "params:data_prep.source_name",
                    "params:stress",
                ],
                outputs=["stress_bars@figure", "stress_sheet@figure"],
                name="draw_stress",
            ),
            Node(
                collect_stress,
                inputs="stress_comparison@table",
                outputs="stress_metrics",
                name="collect_stress",
            ),
        ],
        tags="stress",
    )
