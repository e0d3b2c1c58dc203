"""Wiring of `dru_study`."""

from kedro.pipeline import Node, Pipeline

from boneage_kedro.pipelines.dru_segmentation.pipeline import cut_forearms_nodes
from boneage_kedro.pipelines.dru_study.nodes import (
    collect_dru_arms,
    draw_dru_arms,
    run_dru_arms,
    summarise_dru_arms,
)


def create_pipeline() -> Pipeline:
    """Forearms that are cut out, arms and seeds, then a table and curves of them."""
    return Pipeline(
        [
            *cut_forearms_nodes(),
            Node(
                run_dru_arms,
                inputs=[
                    "image_store",
                    "dru_store",
                    "dru_splits",
                    "drawn_dru",
                    "dru_outlines@folder",
                    "pretrained_weights",
                    "dru_study_checkpoint",
                    "params:dru_segmentation",
                    "params:dru_study",
                ],
                outputs="dru_study",
                name="run_dru_arms",
            ),
            Node(
                summarise_dru_arms,
                inputs=["dru_study", "params:dru_study"],
                outputs="dru_study_summary@table",
                name="summarise_dru_arms",
            ),
            Node(
                draw_dru_arms,
                inputs=["dru_study", "params:dru_study", "params:data_prep.source_name"],
                outputs=["dru_study_curves@figure", "dru_study_labels@figure"],
                name="draw_dru_arms",
            ),
            Node(
                collect_dru_arms,
                inputs="dru_study_summary@table",
                outputs="dru_study_metrics",
                name="collect_dru_arms",
            ),
        ],
        tags="dru_study",
    )
