"""Wiring of `gan_enhance`."""

from kedro.pipeline import Node, Pipeline

from boneage_kedro.pipelines.gan_enhance.nodes import (
    collect_enhancement,
    draw_enhancement,
    enhance_hands,
    grade_enhancement,
    list_pair_problems,
    offer_hands,
    rate_exposure,
    set_guard_limits,
    store_cut_masks,
    train_enhancer,
)

_SOURCE = "params:data_prep.source_name"
_PAIRS = ["exposure", "splits", "gold_pairs"]
_ENHANCER = ["hand_store", "cut_masks", "enhancer_weights@tensors", "enhancer_settings@json", "guard_limits"]


def create_pipeline() -> Pipeline:
    """Gold and pairs, the enhancer, the enhanced store, and what it is worth."""
    return Pipeline(
        [
            Node(
                store_cut_masks,
                inputs=["hand_store", "hand_masks@parts", "hand_masks_state", "cut_masks_state"],
                outputs="cut_masks",
                name="store_cut_masks",
            ),
            Node(
                rate_exposure,
                inputs=["hand_store", "cut_masks", "cases", "splits", "params:gan_enhance"],
                outputs="exposure",
                name="rate_exposure",
            ),
            Node(
                offer_hands,
                inputs=["hand_store", "cut_masks", "exposure", "params:gan_enhance"],
                outputs="offered_hands",
                name="offer_hands",
            ),
            Node(
                list_pair_problems,
                inputs=["gold_pairs", "params:gan_enhance"],
                outputs="pair_findings",
                name="list_pair_problems",
            ),
            Node(
                set_guard_limits,
                inputs=["hand_store", "cut_masks", "exposure", "params:gan_enhance"],
                outputs="guard_limits",
                name="set_guard_limits",
            ),
            Node(
                train_enhancer,
                inputs=["hand_store", "cut_masks", *_PAIRS, "enhancer_checkpoint", "params:gan_enhance"],
                outputs=["enhancer_weights@tensors", "enhancer_settings@json", "enhancer_history"],
                name="train_enhancer",
            ),
            Node(
                enhance_hands,
                inputs=[*_ENHANCER, "enhanced_store_state", "earlier_fidelity", "params:gan_enhance"],
                outputs=["enhanced_store@store", "fidelity"],
                name="enhance_hands",
            ),
            Node(
                grade_enhancement,
                inputs=[*_ENHANCER, *_PAIRS, _SOURCE, "params:gan_enhance"],
                outputs=[
                    "pair_grades",
                    "hand_grades",
                    "pair_quality@table",
                    "hand_tone@table",
                    "enhancement_sheet@figure",
                ],
                name="grade_enhancement",
            ),
            Node(
                draw_enhancement,
                inputs=[
                    "hand_store",
                    "cut_masks",
                    "enhanced_store@store",
                    "guard_limits",
                    "fidelity",
                    "hand_grades",
                    _SOURCE,
                    "params:gan_enhance",
                ],
                outputs=["fidelity_sheet@figure", "tone_spread@figure"],
                name="draw_enhancement",
            ),
            Node(
                collect_enhancement,
                inputs=["enhancer_history", "pair_quality@table", "hand_tone@table", "fidelity"],
                outputs="enhancement_metrics",
                name="collect_enhancement",
            ),
        ],
        tags="gan_enhance",
    )
