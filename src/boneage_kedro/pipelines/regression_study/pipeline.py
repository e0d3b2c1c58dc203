"""Wiring of `regression_study`."""

from kedro.pipeline import Node, Pipeline

from boneage_kedro.pipelines.regression_study.nodes import (
    collect_ablation,
    draw_ablation,
    run_ablation,
    summarise_ablation,
)


def create_pipeline() -> Pipeline:
    """All combinations of pictures, strategies, cohorts and seeds, then tables and figures of them."""
    return Pipeline(
        [
            Node(
                run_ablation,
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
                outputs=["regression_study", "regression_study_history"],
                name="run_ablation",
            ),
            Node(
                summarise_ablation,
                inputs=[
                    "regression_study",
                    "cases",
                    "splits",
                    "params:regression_study",
                    "params:ptl_regression",
                ],
                outputs=["regression_study_summary@table", "regression_study_gains@table"],
                name="summarise_ablation",
            ),
            Node(
                draw_ablation,
                inputs=[
                    "regression_study_summary@table",
                    "regression_study_gains@table",
                    "regression_study_history",
                    "params:data_prep.source_name",
                ],
                outputs=[
                    "regression_study_bars@figure",
                    "regression_study_steps@figure",
                    "regression_study_curves@figure",
                ],
                name="draw_ablation",
            ),
            Node(
                collect_ablation,
                inputs=["regression_study_summary@table", "regression_study_gains@table"],
                outputs="regression_study_metrics",
                name="collect_ablation",
            ),
        ],
        tags="regression_study",
    )
