"""Wiring of `assess`."""

from kedro.pipeline import Node, Pipeline

from boneage_kedro.pipelines.assess.nodes import assess_new_cases, read_new_cases


def create_pipeline() -> Pipeline:
    """A table of cases and a folder of radiographs to ages and pictures; see ``catalog_assess.yml``."""
    return Pipeline(
        [
            Node(read_new_cases, inputs="assess_table", outputs="assess_cases", name="read_new_cases"),
            Node(
                assess_new_cases,
                inputs=[
                    "assess_cases",
                    "assess_radiographs",
                    "ptl_weights",
                    "ptl_settings",
                    "ptl_intervals",
                    "ptl_familiarity_weights",
                    "ptl_familiarity_settings",
                    "finger_weights@if_any",
                    "finger_settings@if_any",
                    "hand_weights@if_any",
                    "hand_settings@if_any",
                    "dru_weights@if_any",
                    "dru_settings@if_any",
                    "params:assess",
                ],
                outputs=[
                    "assess_predictions",
                    "assess_overlays",
                    "assess_phalanges",
                    "assess_hands",
                    "assess_forearms",
                ],
                name="assess_new_cases",
            ),
        ],
        tags="assess",
    )
