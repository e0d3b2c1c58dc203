"""Wiring of `report`."""

from kedro.pipeline import Node, Pipeline

from boneage_kedro.evaluation.evidence.subjects import FIGURES, TABLES
from boneage_kedro.pipelines.report.nodes import write_report


def create_pipeline() -> Pipeline:
    """The report, from the tables and figures that other pipelines have left."""
    return Pipeline(
        [
            Node(
                write_report,
                inputs=[
                    "params:report",
                    "params:data_prep.source_name",
                    "cases",
                    "splits",
                    *(f"{name}@table_if_any" for name in TABLES),
                    *(f"{name}@png_if_any" for name in FIGURES),
                ],
                outputs=["report", "evidence"],
                name="write_report",
            )
        ],
        tags="report",
    )
