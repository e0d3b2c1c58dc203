"""Wiring of `ptl_regression`."""

from kedro.pipeline import Node, Pipeline

from boneage_kedro.pipelines.age_pictures import age_pictures
from boneage_kedro.pipelines.ptl_regression.nodes import (
    calibrate_ages,
    collect_metrics,
    compare_models,
    compare_with_paper,
    draw_intervals,
    draw_training,
    learn_familiarity,
    measure_intervals,
    predict_cases,
    train_regressor,
)

STRATEGIES = ("ptl", "fine_tune")


def create_pipeline() -> Pipeline:
    """Train and predict once a strategy, learn how far PTL can be relied on, and compare both on the test part."""
    return Pipeline(
        [
            *(node for strategy in STRATEGIES for node in _strategy_nodes(strategy)),
            *_reliability_nodes(),
            Node(
                compare_models,
                inputs=[
                    "ptl_predictions",
                    "fine_tune_predictions",
                    "bonet_predictions@if_any",
                    "params:ptl_regression",
                ],
                outputs=["model_comparison@table", "errors_by_age_band@table"],
                name="compare_models",
            ),
            Node(
                compare_with_paper,
                inputs=[
                    "model_comparison@table",
                    "ptl_predictions",
                    "ptl_history",
                    "ptl_settings",
                    "bonet_description@if_any",
                    "params:data_prep.source_name",
                    "params:ptl_regression",
                ],
                outputs=["paper_methods@table", "paper_participants@table"],
                name="compare_with_paper",
            ),
            Node(
                collect_metrics,
                inputs=[
                    "model_comparison@table",
                    "interval_coverage@table",
                    "agreement@table",
                    "ptl_history",
                    "fine_tune_history",
                ],
                outputs="regression_metrics",
                name="collect_metrics",
            ),
            Node(
                draw_training,
                inputs=[
                    "model_comparison@table",
                    "ptl_predictions",
                    "ptl_history",
                    "fine_tune_history",
                    "params:data_prep.source_name",
                ],
                outputs=["learning_curves@figure", "mae_bars@figure", "predicted_against_read@figure"],
                name="draw_training",
            ),
        ],
        tags="ptl_regression",
    )


def _reliability_nodes() -> list[Node]:
    return [
        Node(
            calibrate_ages,
            inputs=["ptl_predictions", "ptl_weights", "ptl_settings", "params:ptl_regression"],
            outputs=["ptl_intervals", "ptl_intervals_table"],
            name="calibrate_ages",
        ),
        Node(
            learn_familiarity,
            inputs=[
                age_pictures(),
                "cases",
                "splits",
                "ptl_weights",
                "ptl_settings",
                "params:ptl_regression",
            ],
            outputs=["ptl_familiarity_weights", "ptl_familiarity_settings"],
            name="learn_familiarity",
        ),
        Node(
            measure_intervals,
            inputs=["ptl_intervals_table", "params:ptl_regression"],
            outputs=["interval_coverage@table", "agreement@table"],
            name="measure_intervals",
        ),
        Node(
            draw_intervals,
            inputs=[
                "ptl_intervals_table",
                "interval_coverage@table",
                "agreement@table",
                "params:data_prep.source_name",
                "params:ptl_regression",
            ],
            outputs=["bland_altman@figure", "coverage_bars@figure", "width_over_age@figure"],
            name="draw_intervals",
        ),
    ]


def _strategy_nodes(strategy: str) -> list[Node]:
    data = [age_pictures(), "cases", "splits"]
    network = [f"{strategy}_weights", f"{strategy}_settings"]
    return [
        Node(
            train_regressor,
            inputs=[
                *data,
                "pretrained_weights",
                f"{strategy}_checkpoint",
                "params:data_prep.source_name",
                "params:ptl_regression",
                f"params:ptl_regression.{strategy}_stages",
            ],
            outputs=[*network, f"{strategy}_history", f"{strategy}_ages_unseen"],
            name=f"train_{strategy}",
        ),
        Node(
            predict_cases,
            inputs=[*data, *network, f"{strategy}_ages_unseen", "params:ptl_regression"],
            outputs=f"{strategy}_predictions",
            name=f"predict_{strategy}",
        ),
    ]
