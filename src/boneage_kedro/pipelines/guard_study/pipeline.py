"""Wiring of `guard_study`."""

from kedro.pipeline import Node, Pipeline

from boneage_kedro.pipelines.guard_study.nodes import collect_guard, rate_guard, score_guard


def create_pipeline() -> Pipeline:
    """The enhancer and the limits that `gan_enhance` has left, and phantoms with inventions."""
    return Pipeline(
        [
            Node(
                score_guard,
                inputs=[
                    "enhancer_weights@tensors",
                    "enhancer_settings@json",
                    "earlier_guard_scores",
                    "params:gan_enhance",
                    "params:guard_study",
                ],
                outputs="guard_scores",
                name="score_guard",
            ),
            Node(
                rate_guard,
                inputs=["guard_scores", "guard_limits", "params:gan_enhance"],
                outputs="guard_rates@table",
                name="rate_guard",
            ),
            Node(collect_guard, inputs="guard_rates@table", outputs="guard_metrics", name="collect_guard"),
        ],
        tags="guard_study",
    )
