"""Wiring of `data_prep`."""

from kedro.pipeline import Node, Pipeline

from boneage_kedro.pipelines.data_prep.nodes import (
    draw_cohort,
    prepare_radiographs,
    read_labels,
    select_cases,
    split_cases,
)


def create_pipeline() -> Pipeline:
    """Labels, then pictures, then the cases that have both, their split, and what they look like."""
    return Pipeline(
        [
            Node(
                read_labels,
                inputs=["raw_labels@table", "raw_radiographs@files", "params:data_prep"],
                outputs=["labelled_cases", "label_findings"],
                name="read_labels",
            ),
            Node(
                prepare_radiographs,
                inputs=["labelled_cases", "raw_radiographs@files", "image_store_state", "params:data_prep"],
                outputs="image_store",
                name="prepare_radiographs",
            ),
            Node(
                select_cases,
                inputs=["labelled_cases", "label_findings", "image_store", "params:data_prep"],
                outputs=["cases", "image_index", "validation_findings", "validation_report@table"],
                name="select_cases",
            ),
            Node(
                split_cases,
                inputs=["cases", "earlier_splits", "params:data_prep.splits"],
                outputs="splits",
                name="split_cases",
            ),
            Node(
                draw_cohort,
                inputs=["cases", "image_store", "params:data_prep"],
                outputs=["age_histogram@figure", "contact_sheet@figure"],
                name="draw_cohort",
            ),
        ],
        tags="data_prep",
    )
