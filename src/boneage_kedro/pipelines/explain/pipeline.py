"""Wiring of `explain`."""

from kedro.pipeline import Node, Pipeline

from boneage_kedro.pipelines.explain.nodes import draw_attention, locate_map_cells, map_test_cases


def create_pipeline() -> Pipeline:
    """Maps of the test part, then figures of them."""
    return Pipeline(
        [
            Node(
                map_test_cases,
                inputs=[
                    "image_store",
                    "ptl_predictions",
                    "ptl_weights",
                    "ptl_settings",
                    "params:ptl_regression.fit",
                    "params:explain",
                ],
                outputs=["attention_maps", "attention_table"],
                name="map_test_cases",
            ),
            Node(
                locate_map_cells,
                inputs=["ptl_weights", "ptl_settings"],
                outputs="attention_grid",
                name="locate_map_cells",
            ),
            Node(
                draw_attention,
                inputs=[
                    "image_store",
                    "attention_maps",
                    "attention_grid",
                    "attention_table",
                    "params:explain",
                    "params:data_prep.source_name",
                ],
                outputs=["attention_sheet@figure", "mean_attention@figure"],
                name="draw_attention",
            ),
        ],
        tags="explain",
    )
