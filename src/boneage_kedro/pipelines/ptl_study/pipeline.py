"""Wiring of `ptl_study`."""

from kedro.pipeline import Node, Pipeline

from boneage_kedro.pipelines.ptl_study.nodes import (
    collect_strategies,
    draw_strategies,
    run_strategies,
    summarise_strategies,
)


def create_pipeline() -> Pipeline:
    """Strategies, cohorts and seeds, then a table, curves and bars of them."""
    return Pipeline(
        [
            Node(
                run_strategies,
                inputs=[
                    "image_store",
                    "cases",
                    "splits",
                    "pretrained_weights",
                    "ptl_study_checkpoint",
                    "params:ptl_regression",
                    "params:ptl_study",
                ],
                outputs=["ptl_study", "ptl_study_history"],
                name="run_strategies",
            ),
            Node(
                summarise_strategies,
                inputs=["ptl_study", "cases", "splits", "params:ptl_study", "params:ptl_regression"],
                outputs="ptl_study_summary@table",
                name="summarise_strategies",
            ),
            Node(
                draw_strategies,
                inputs=[
                    "ptl_study",
                    "ptl_study_history",
                    "ptl_study_summary@table",
                    "params:data_prep.source_name",
                ],
                outputs=["ptl_study_curves@figure", "ptl_study_bars@figure"],
                name="draw_strategies",
            ),
            Node(
                collect_strategies,
                inputs="ptl_study_summary@table",
                outputs="ptl_study_metrics",
                name="collect_strategies",
            ),
        ],
        tags="ptl_study",
    )
