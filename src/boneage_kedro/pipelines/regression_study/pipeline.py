"""Wiring of `regression_study`."""

from kedro.pipeline import Node, Pipeline

from boneage_kedro.pipelines.regression_study.nodes import (
    collect_regression_arms,
    draw_regression_arms,
    run_regression_arms,
    summarise_regression_arms,
)


def create_pipeline() -> Pipeline:
    """Arms and seeds, then a table and bars of them."""
    return Pipeline(
        [
            Node(
                run_regression_arms,
                inputs=[
                    "image_store",
                    "hand_store",
                    "enhanced_store@if_any",
                    "cases",
                    "splits",
                    "pretrained_weights",
                    "regression_study_checkpoint",
                    "params:ptl_regression",
                    "params:regression_study",
                ],
                outputs="regression_study",
                name="run_regression_arms",
            ),
            Node(
                summarise_regression_arms,
                inputs=["regression_study", "params:regression_study", "params:ptl_regression"],
                outputs="regression_study_summary",
                name="summarise_regression_arms",
            ),
            Node(
                draw_regression_arms,
                inputs=["regression_study_summary", "params:data_prep.source_name"],
                outputs="regression_study_bars@figure",
                name="draw_regression_arms",
            ),
            Node(
                collect_regression_arms,
                inputs="regression_study_summary",
                outputs="regression_study_metrics",
                name="collect_regression_arms",
            ),
        ],
        tags="regression_study",
    )
