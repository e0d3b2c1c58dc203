"""Wiring of `gan_study`."""

from kedro.pipeline import Node, Pipeline

from boneage_kedro.pipelines.gan_study.nodes import (
    collect_gan_arms,
    grade_plain_methods,
    run_gan_arms,
    summarise_gan_arms,
)

_HANDS = ["hand_store", "cut_masks", "exposure", "splits", "gold_pairs", "guard_limits"]


def create_pipeline() -> Pipeline:
    """On what `gan_enhance` has left: plain methods, arms and seeds, then a table of them."""
    return Pipeline(
        [
            Node(
                grade_plain_methods,
                inputs=[*_HANDS, "params:gan_enhance"],
                outputs="plain_grades",
                name="grade_plain_methods",
            ),
            Node(
                run_gan_arms,
                inputs=[*_HANDS, "gan_study_checkpoint", "params:gan_enhance", "params:gan_study"],
                outputs="gan_study",
                name="run_gan_arms",
            ),
            Node(
                summarise_gan_arms,
                inputs=["plain_grades", "gan_study", "params:gan_study"],
                outputs="gan_study_summary@table",
                name="summarise_gan_arms",
            ),
            Node(
                collect_gan_arms,
                inputs="gan_study_summary@table",
                outputs="gan_study_metrics",
                name="collect_gan_arms",
            ),
        ],
        tags="gan_study",
    )
