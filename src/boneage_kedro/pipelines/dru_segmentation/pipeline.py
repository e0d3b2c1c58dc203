"""Wiring of `dru_segmentation`."""

from kedro.pipeline import Node, Pipeline

from boneage_kedro.pipelines.dru_segmentation.nodes import (
    collect_dru_metrics,
    draw_forearms,
    find_forearms,
    gather_blocks,
    predict_dru_masks,
    score_detector,
    score_dru_masks,
    split_forearms,
    store_forearms,
    store_outlines,
    train_dru_segmenter,
    train_forearm_detector,
)

_PARAMS = "params:dru_segmentation"
_DETECTOR = ["dru_detector_weights@tensors", "dru_detector_settings@json"]
_NETWORKS = ["dru_weights@tensors", "dru_settings@json"]


def create_pipeline() -> Pipeline:
    """Outlines and boxes that people drew, a detector, forearms that are cut out, and a mask of every radiograph."""
    return Pipeline([*cut_forearms_nodes(), *_learning(), *_reports()], tags="dru_segmentation")


def cut_forearms_nodes() -> list[Node]:
    """The first steps of every pipeline that learns from outlines of forearms."""
    return [
        Node(
            split_forearms,
            inputs=["splits", "dru_parts_if_any", "dru_outlines@folder"],
            outputs="dru_splits",
            name="split_forearms",
        ),
        Node(
            gather_blocks,
            inputs=["dru_outlines@folder", "image_store", "roi_boxes_if_any", _PARAMS],
            outputs=["dru_blocks", "dru_findings"],
            name="gather_blocks",
        ),
        Node(
            train_forearm_detector,
            inputs=[
                "image_store",
                "dru_blocks",
                "dru_splits",
                "pretrained_weights",
                "dru_detector_checkpoint",
                _PARAMS,
            ],
            outputs=[*_DETECTOR, "dru_detector_history"],
            name="train_forearm_detector",
        ),
        Node(
            find_forearms,
            inputs=["image_store", *_DETECTOR, _PARAMS],
            outputs="dru_boxes",
            name="find_forearms",
        ),
        Node(
            store_forearms,
            inputs=[
                "raw_radiographs@files",
                "image_store",
                "dru_boxes",
                "dru_blocks",
                "dru_splits",
                "dru_store_state",
                _PARAMS,
            ],
            outputs="dru_store",
            name="store_forearms",
        ),
        Node(
            store_outlines,
            inputs=["dru_outlines@folder", "dru_store", "drawn_dru_state"],
            outputs="drawn_dru",
            name="store_outlines",
        ),
    ]


def _learning() -> list[Node]:
    return [
        Node(
            train_dru_segmenter,
            inputs=[
                "image_store",
                "dru_store",
                "dru_splits",
                "drawn_dru",
                "dru_outlines@folder",
                *_DETECTOR,
                "pretrained_weights",
                "dru_checkpoint",
                _PARAMS,
            ],
            outputs=[*_NETWORKS, "dru_history"],
            name="train_dru_segmenter",
        ),
        Node(
            predict_dru_masks,
            inputs=["image_store", "dru_store", *_NETWORKS, "dru_masks_state", _PARAMS],
            outputs="dru_masks",
            name="predict_dru_masks",
        ),
    ]


def _reports() -> list[Node]:
    return [
        Node(
            score_dru_masks,
            inputs=["dru_masks", "dru_outlines@folder", "image_store", "dru_splits", _PARAMS],
            outputs=["dru_scores", "dru_summary@table"],
            name="score_dru_masks",
        ),
        Node(
            score_detector,
            inputs=["image_store", "dru_blocks", "dru_splits", *_DETECTOR, _PARAMS],
            outputs=["dru_detector_scores", "dru_detector_summary@table"],
            name="score_dru_detector",
        ),
        Node(
            draw_forearms,
            inputs=[
                "dru_store",
                "dru_masks",
                "cases",
                "dru_history",
                _PARAMS,
                "params:data_prep.source_name",
            ],
            outputs=["dru_sheet@figure", "dru_curves@figure"],
            name="draw_forearms",
        ),
        Node(
            collect_dru_metrics,
            inputs=["dru_history", "dru_summary@table", "dru_detector_summary@table"],
            outputs="dru_metrics",
            name="collect_dru_metrics",
        ),
    ]
