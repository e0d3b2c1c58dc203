"""Wiring of `package`."""

from kedro.pipeline import Node, Pipeline

from boneage_kedro.pipelines.age_pictures import age_pictures, enhancer
from boneage_kedro.pipelines.package.nodes import (
    add_documents,
    describe_model,
    export_age_network,
    pack_model,
)

AGE_NETWORK = ["ptl_weights", "ptl_settings"]
MASK_NETWORKS = [
    "finger_weights@if_any",
    "finger_settings@if_any",
    "hand_weights@if_any",
    "hand_settings@if_any",
    "dru_weights@if_any",
    "dru_settings@if_any",
]


def create_pipeline() -> Pipeline:
    """What `ptl_regression` and the mask pipelines have trained to one folder; see ``catalog_package.yml``."""
    return Pipeline(
        [
            Node(
                export_age_network,
                inputs=[age_pictures(), "cases", "splits", *AGE_NETWORK, "params:package"],
                outputs=["age_onnx", "onnx_parity"],
                name="export_age_network",
            ),
            Node(
                pack_model,
                inputs=[
                    *AGE_NETWORK,
                    "ptl_intervals",
                    "ptl_familiarity_weights",
                    "ptl_familiarity_settings",
                    *MASK_NETWORKS,
                    *enhancer(),
                ],
                outputs="bare_package",
                name="pack_model",
            ),
            Node(
                describe_model,
                inputs=[
                    "bare_package",
                    "cases",
                    "splits",
                    "ptl_intervals_table",
                    "onnx_parity",
                    "params:data_prep.source_name",
                    "params:report.notice",
                    "params:ptl_regression",
                ],
                outputs="model_card",
                name="describe_model",
            ),
            Node(
                add_documents,
                inputs=["bare_package", "model_card", "age_onnx"],
                outputs="model_package@made",
                name="add_documents",
            ),
        ],
        tags="package",
    )
