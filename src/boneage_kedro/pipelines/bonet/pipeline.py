"""Wiring of `bonet`."""

from kedro.pipeline import Node, Pipeline

from boneage_kedro.pipelines.bonet.nodes import (
    collect_bonet_arms,
    describe_bonet,
    draw_bonet_arms,
    predict_by_bonet,
    run_bonet_arms,
    summarise_bonet_arms,
    train_bonet,
)

_DATA = ["image_store", "cases", "splits"]


def create_pipeline() -> Pipeline:
    """The baseline, which ``kedro run --pipelines=bonet --tags=baseline`` makes alone; then arms and folds."""
    return Pipeline([*_baseline_nodes(), *_study_nodes()], tags="bonet")


def _baseline_nodes() -> list[Node]:
    return [
        Node(
            train_bonet,
            inputs=[*_DATA, "pretrained_weights", "bonet_checkpoint", "params:bonet"],
            outputs=["bonet_weights", "bonet_settings", "bonet_history"],
            name="train_bonet",
            tags="baseline",
        ),
        Node(
            predict_by_bonet,
            inputs=[*_DATA, "bonet_weights", "bonet_settings", "params:bonet"],
            outputs="bonet_predictions@table",
            name="predict_by_bonet",
            tags="baseline",
        ),
        Node(
            describe_bonet,
            inputs=["bonet_predictions@table", "bonet_history", "params:bonet"],
            outputs="bonet_description@json",
            name="describe_bonet",
            tags="baseline",
        ),
    ]


def _study_nodes() -> list[Node]:
    return [
        Node(
            run_bonet_arms,
            inputs=[*_DATA, "pretrained_weights", "bonet_study_checkpoint", "params:bonet"],
            outputs="bonet_study",
            name="run_bonet_arms",
        ),
        Node(
            summarise_bonet_arms,
            inputs=["bonet_study", "cases", "params:bonet"],
            outputs=["bonet_summary@table", "bonet_by_group"],
            name="summarise_bonet_arms",
        ),
        Node(
            draw_bonet_arms,
            inputs=["bonet_summary@table", "bonet_by_group", "params:data_prep.source_name"],
            outputs=["bonet_bars@figure", "bonet_group_errors@figure"],
            name="draw_bonet_arms",
        ),
        Node(
            collect_bonet_arms,
            inputs=["bonet_summary@table", "bonet_predictions@table"],
            outputs="bonet_metrics",
            name="collect_bonet_arms",
        ),
    ]
