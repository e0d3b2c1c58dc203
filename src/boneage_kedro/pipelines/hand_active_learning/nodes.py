"""Nodes of `hand_active_learning`. Torch is imported inside them, so that the CLI and kedro viz start quickly."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from PIL import Image
from rich.progress import track

from boneage_kedro.datasets.resumable_partitions import Parts, PartsState
from boneage_kedro.imaging.sources import RadiographFolder
from boneage_kedro.imaging.store import ImageStore, StoreChunk, StoreState
from boneage_kedro.masks.drawn.queue import AnnotationQueue
from boneage_kedro.masks.hand.store import ingest_hands
from boneage_kedro.pipelines.hand_active_learning.params import Params
from boneage_kedro.pipelines.mask_steps import (
    MaskKind,
    Predicted,
    gather_masked_data,
    in_parts,
    left_to_do,
    masks_on_canvas,
    name_predictions,
    round_metrics,
    score_test_masks,
    store_masks,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

    from boneage_kedro.models.weights import PretrainedWeights
    from boneage_kedro.training.checkpoint import CheckpointFile
    from boneage_kedro.training.hands.oracle import Oracle
    from boneage_kedro.training.segmentation.lesson import MaskedData

logger = logging.getLogger(__name__)


def store_drawn_hands(
    files: RadiographFolder, images: ImageStore, state: StoreState, params: Params
) -> Iterator[StoreChunk]:
    """Bring the masks that people drew into the frame of the prepared radiographs, at the network's size."""
    yield from store_masks(files, images, state, hand(params))


def list_answer_problems(queue: AnnotationQueue) -> pd.DataFrame:
    """What is wrong with files among the answers: ``id, file, failure``; each is logged, too."""
    _, problems = queue.answers()
    for problem in problems:
        logger.warning("an answer is not used: %s", problem.reason)
    rows = [{"id": p.id, "file": p.file, "failure": p.reason} for p in problems]
    return pd.DataFrame(rows, columns=["id", "file", "failure"])


def ask_first_questions(
    images: ImageStore,
    splits: pd.DataFrame,
    masks: ImageStore,
    files: RadiographFolder,
    radiographs: RadiographFolder,
    queue: AnnotationQueue,
    pretrained: PretrainedWeights,
    params: Params,
) -> pd.DataFrame:
    """Ask for the masks without which nothing can be learnt; a row each that is still open."""
    from boneage_kedro.training.hands.training import ask_first

    data = _gather(images, splits, masks, files, pretrained, params)
    oracle = _oracle(data, radiographs, queue, params)
    return _open_questions(queue, ask_first(data, oracle, params["network"], params["query"]))


def teach_hand_committee(
    images: ImageStore,
    splits: pd.DataFrame,
    masks: ImageStore,
    files: RadiographFolder,
    radiographs: RadiographFolder,
    queue: AnnotationQueue,
    pretrained: PretrainedWeights,
    checkpoint: CheckpointFile,
    first_questions: pd.DataFrame,
    params: Params,
) -> tuple[dict[str, Tensor], dict[str, Any], pd.DataFrame, pd.DataFrame]:
    """Teach the committee and ask on, until there are masks enough or answers are missing.

    Args:
        first_questions: none is open, or the run would have ended.

    Returns:
        its weights, the settings that build it again, a row a round, and a row for each open question.
    """
    from boneage_kedro.training.hands.training import describe_committee, train_hand_committee

    data = _gather(images, splits, masks, files, pretrained, params)
    oracle = _oracle(data, radiographs, queue, params)
    first = checkpoint.beside("first")
    outcome = train_hand_committee(data, oracle, params["network"], params["query"], checkpoint, first)
    weights, settings = describe_committee(outcome, data, params["network"])
    settings |= {"threshold": params["threshold"], "limits": dict(params["limits"])}
    return weights, settings, outcome.rounds, _open_questions(queue, outcome.open_ids)


def predict_hand_masks(
    images: ImageStore,
    weights: dict[str, Tensor],
    settings: dict[str, Any],
    state: PartsState,
    quality: pd.DataFrame | None,
    params: Params,
) -> Iterator[tuple[Parts, pd.DataFrame]]:
    """Mask every hand of the store by the whole committee, and say how far each mask is to be trusted.

    Args:
        quality: of an earlier run, which this one goes on with if it was killed.

    Yields:
        masks in the frame and at the size of their radiographs, and the table of quality so far.
    """
    from boneage_kedro.reading.hand_reader import read_hands
    from boneage_kedro.training.device import device_of
    from boneage_kedro.training.hands.training import build_members
    from boneage_kedro.training.segmentation.network_training import check_preparation

    check_preparation(settings, images)
    limits, fit = params["limits"], params["network"]["fit"]
    made_by = name_predictions(weights, settings, images, params["threshold"], dict(limits))
    earlier = [] if quality is None else quality.to_dict("records")
    rows: dict[str, Any] = {row["id"]: row for row in earlier}
    known = PartsState(state.made_by, state.ids & frozenset(rows))  # the table is saved after the masks
    todo = left_to_do(images, known, made_by)
    rows = {key: row for key, row in rows.items() if key in set(images.ids) - set(todo)}
    readings = read_hands(
        build_members(weights, settings),
        images,
        todo,
        settings["input_px"],
        params["threshold"],
        limits,
        fit["batch_size"],
        device_of(fit["accelerator"]),
    )

    def masks() -> Iterator[tuple[str, Image.Image]]:
        for reading in track(readings, "masking hands", total=len(todo), transient=True):
            rows[reading.id] = reading.quality
            yield reading.id, Image.fromarray(reading.mask)

    for part in in_parts(masks(), made_by):
        yield part, pd.DataFrame(rows.values()).sort_values("id", ignore_index=True)


def store_hands(
    radiographs: RadiographFolder,
    images: ImageStore,
    predicted: Predicted,
    masks_state: PartsState,
    quality: pd.DataFrame,
    state: StoreState,
    params: Params,
) -> Iterator[StoreChunk]:
    """Cut every radiograph to its hand; one whose mask is not trusted stays whole."""
    yield from ingest_hands(
        radiographs,
        images,
        lambda key: np.asarray(predicted[key]()),
        dict(zip(quality["id"], quality["trusted"].astype(bool), strict=True)),
        params["crop"],
        masks_state.made_by,
        state,
        params["workers"],
    )


def score_hand_masks(
    predicted: Predicted,
    files: RadiographFolder,
    images: ImageStore,
    splits: pd.DataFrame,
    masks: ImageStore,
    params: Params,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare predicted masks of the test part with those that people drew, at the radiographs' own size.

    Returns:
        a row a case, and means with spread and interval.
    """
    seed, may_lack = params["network"]["fit"]["seed"], _may_lack_test(params)
    return score_test_masks(predicted, files, images, splits, masks, hand(params), seed, may_lack)


def draw_hands(
    images: ImageStore,
    predicted: Predicted,
    hands: ImageStore,
    cases: pd.DataFrame,
    quality: pd.DataFrame,
    rounds: pd.DataFrame,
    params: Params,
    source: str,
) -> tuple[Figure, Figure, Figure, Figure]:
    """Sheets of hands from young to old with their masks, of the least trusted, of cut hands, and Dice by masks."""
    from boneage_kedro.evaluation.figures import age_titles, image_sheet, spread_over_ages, worst_first
    from boneage_kedro.evaluation.segmentation.figures import doubt_titles, label_efficiency_curve, mask_sheet

    def sheet(ids: list[str], titles: list[str], title: str) -> Figure:
        pictures, masks = [images[key] for key in ids], masks_on_canvas(images, predicted, ids)
        return mask_sheet(pictures, masks, titles, params["sheet_columns"], f"{title}, {source}")

    shown = spread_over_ages(cases, params["sheet_cases"])
    ids, ages = shown["id"].tolist(), age_titles(shown)
    worst = worst_first(quality.fillna({"reason": ""}), "disagreement", params["sheet_cases"])
    cut = [hands[key] for key in ids]
    named = rounds.assign(arm=params["query"]["rule"], seed=params["network"]["fit"]["seed"])
    return (
        sheet(ids, ages, "Predicted hands"),
        sheet(
            worst["id"].tolist(),
            doubt_titles(worst),
            "Hands to look at, with the disagreement",
        ),
        image_sheet(cut, ages, params["sheet_columns"], f"Hands cut out, {source}"),
        label_efficiency_curve(named, [], f"Masks asked for, {source}"),
    )


def collect_hand_metrics(
    rounds: pd.DataFrame, summary: pd.DataFrame, quality: pd.DataFrame
) -> dict[str, Any]:
    """Curves over the number of masks and final figures in the form MLflow takes."""
    metrics = round_metrics(rounds, "labels", ("validation_dice", "test_dice", "disagreement"), summary)
    metrics["trusted_share"] = {"step": 0, "value": float(quality["trusted"].mean())}
    return metrics


def hand(params: Params) -> MaskKind:
    """What is masked here."""
    side, resize = params["network"]["input_px"], params["resize_masks"]
    return MaskKind("hand_active_learning", "hand_mask_findings.csv", 2, ("hand",), side, resize)


def _gather(
    images: ImageStore,
    splits: pd.DataFrame,
    masks: ImageStore,
    files: RadiographFolder,
    pretrained: PretrainedWeights,
    params: Params,
) -> MaskedData:
    may_lack = _may_lack_test(params)
    return gather_masked_data(images, splits, masks, files, pretrained, hand(params), may_lack)


def _may_lack_test(params: Params) -> bool:
    """People may have drawn no mask of the test part, and a committee from elsewhere needs none at all."""
    return params["oracle"] == "folder" or not params["query"]["labels"]


def _oracle(
    data: MaskedData, radiographs: RadiographFolder, queue: AnnotationQueue, params: Params
) -> Oracle:
    from boneage_kedro.training.hands.oracle import Folder, Truth

    if params["oracle"] == "truth":
        return Truth(data.masks)
    return Folder(queue, data.masks, radiographs, data.images, params["network"]["input_px"])


def _open_questions(queue: AnnotationQueue, ids: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"id": ids, "picture": [str(queue.picture(key)) for key in ids]})
