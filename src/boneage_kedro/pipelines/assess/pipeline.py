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
                inputs=["assess_cases", "assess_radiographs", "model_package@given", "params:assess"],
                outputs=[
                    "assess_predictions",
                    "assess_overlays",
                    "assess_phalanges",
                    "assess_hands",
                    "assess_forearms",
                    "assess_pages",
                    "assess_dicom",
                ],
                name="assess_new_cases",
            ),
        ],
        tags="assess",
    )
