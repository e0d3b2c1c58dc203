"""Wiring of `hand_active_learning`."""

from kedro.pipeline import Node, Pipeline

from boneage_kedro.pipelines.hand_active_learning.nodes import (
    ask_first_questions,
    collect_hand_metrics,
    draw_hands,
    list_answer_problems,
    predict_hand_masks,
    score_hand_masks,
    store_drawn_hands,
    store_hands,
    teach_hand_committee,
)
from boneage_kedro.pipelines.mask_steps import list_mask_problems

_LEARNT_FROM = ["image_store", "splits", "drawn_hands", "hand_mask_files@files"]
_PARAMS = "params:hand_active_learning"


def store_drawn_hands_node() -> Node:
    """The first step of every pipeline that learns from masks of hands."""
    return Node(
        store_drawn_hands,
        inputs=["hand_mask_files@files", "image_store", "drawn_hands_state", _PARAMS],
        outputs="drawn_hands",
        name="store_drawn_hands",
    )


def create_pipeline() -> Pipeline:
    """A committee that asks for masks, and for every radiograph the hand, cut out, with a score of its quality."""
    return Pipeline(
        [store_drawn_hands_node(), *_learning(), *_hands(), *_reports()], tags="hand_active_learning"
    )


def _learning() -> list[Node]:
    asking = ["raw_radiographs@files", "hand_queue", "pretrained_weights"]
    return [
        Node(
            list_mask_problems,
            inputs=["drawn_hands", "hand_mask_files@files"],
            outputs="hand_mask_findings",
            name="list_hand_mask_problems",
        ),
        Node(
            list_answer_problems,
            inputs="hand_queue",
            outputs="hand_answer_findings",
            name="list_hand_answer_problems",
        ),
        Node(
            ask_first_questions,
            inputs=[*_LEARNT_FROM, *asking, _PARAMS],
            outputs="first_open_questions",
            name="ask_first_questions",
        ),
        Node(
            teach_hand_committee,
            inputs=[*_LEARNT_FROM, *asking, "hand_checkpoint", "first_open_questions", _PARAMS],
            outputs=["hand_weights@tensors", "hand_settings@json", "hand_rounds", "hand_open_questions"],
            name="teach_hand_committee",
        ),
    ]


def _hands() -> list[Node]:
    return [
        Node(
            predict_hand_masks,
            inputs=[
                "image_store",
                "hand_weights@tensors",
                "hand_settings@json",
                "hand_masks_state",
                "earlier_hand_quality",
                _PARAMS,
            ],
            outputs=["hand_masks@parts", "hand_quality@table"],
            name="predict_hand_masks",
        ),
        Node(
            store_hands,
            inputs=[
                "raw_radiographs@files",
                "image_store",
                "hand_masks@parts",
                "hand_masks_state",
                "hand_quality@table",
                "hand_store_state",
                _PARAMS,
            ],
            outputs="hand_store",
            name="store_hands",
        ),
    ]


def _reports() -> list[Node]:
    return [
        Node(
            score_hand_masks,
            inputs=[
                "hand_masks@parts",
                "hand_mask_files@files",
                "image_store",
                "splits",
                "drawn_hands",
                _PARAMS,
            ],
            outputs=["hand_scores", "hand_summary@table"],
            name="score_hand_masks",
        ),
        Node(
            draw_hands,
            inputs=[
                "image_store",
                "hand_masks@parts",
                "hand_store",
                "cases",
                "hand_quality@table",
                "hand_rounds",
                _PARAMS,
                "params:data_prep.source_name",
            ],
            outputs=["hand_sheet@figure", "doubted_hands@figure", "cut_hands@figure", "hand_curve@figure"],
            name="draw_hands",
        ),
        Node(
            collect_hand_metrics,
            inputs=["hand_rounds", "hand_summary@table", "hand_quality@table"],
            outputs="hand_metrics",
            name="collect_hand_metrics",
        ),
    ]
