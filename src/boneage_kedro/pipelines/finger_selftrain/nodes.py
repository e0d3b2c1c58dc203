"""Nodes of `finger_selftrain`. Torch is imported inside them, so that the CLI and kedro viz start quickly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from boneage_kedro.datasets.resumable_partitions import Parts, PartsState
from boneage_kedro.imaging.sources import RadiographFolder
from boneage_kedro.imaging.store import ImageStore, StoreChunk, StoreState
from boneage_kedro.phantom import PHALANX_CLASSES
from boneage_kedro.pipelines.finger_selftrain.params import Params
from boneage_kedro.pipelines.mask_steps import (
    MaskKind,
    Predicted,
    gather_masked_data,
    mask_in_parts,
    masks_on_canvas,
    name_predictions,
    round_metrics,
    score_test_masks,
    store_masks,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

    from boneage_kedro.masks.crf_settings import CrfSettings
    from boneage_kedro.models.weights import PretrainedWeights
    from boneage_kedro.training.checkpoint import CheckpointFile


def store_finger_masks(
    files: RadiographFolder, images: ImageStore, state: StoreState, params: Params
) -> Iterator[StoreChunk]:
    """Bring the masks that people drew into the frame of the prepared radiographs, at the network's size."""
    yield from store_masks(files, images, state, phalanges(params))


def train_finger_student(
    images: ImageStore,
    splits: pd.DataFrame,
    masks: ImageStore,
    files: RadiographFolder,
    pretrained: PretrainedWeights,
    checkpoint: CheckpointFile,
    params: Params,
) -> tuple[dict[str, Tensor], dict[str, Any], pd.DataFrame]:
    """Train the student on masks and, round by round, on its own refined predictions.

    Returns:
        its weights, the settings that build it again, and one row a round (see `SelfTraining.run`).
    """
    from boneage_kedro.training.fingers.training import train_finger_segmenter

    data = gather_masked_data(images, splits, masks, files, pretrained, phalanges(params))
    student, settings, rounds = train_finger_segmenter(
        data,
        params["network"],
        params["rounds"],
        teacher(params),
        params["labelled"],
        checkpoint,
        checkpoint.beside("first"),
    )
    weights = {name: value.contiguous() for name, value in student.state_dict().items()}
    return weights, settings, rounds


def teacher(params: Params) -> CrfSettings:
    """The dense CRF at the size of the network."""
    from boneage_kedro.masks.crf_settings import rescale_crf

    return rescale_crf(params["crf"], params["network"]["input_px"] / params["crf_px"])


def predict_finger_masks(
    images: ImageStore,
    weights: dict[str, Tensor],
    settings: dict[str, Any],
    state: PartsState,
    params: Params,
) -> Iterator[Parts]:
    """Mask every hand of the store, in the frame and at the size of its radiograph, going on after a kill."""
    from boneage_kedro.training.segmentation.network_training import build_segmenter, check_preparation

    check_preparation(settings, images)
    network, made_by = build_segmenter(weights, settings), name_predictions(weights, settings, images)
    fit = params["network"]["fit"]
    yield from mask_in_parts(network, images, settings["input_px"], fit, state, made_by, "phalanges")


def score_finger_masks(
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
    seed = params["network"]["fit"]["seed"]
    return score_test_masks(predicted, files, images, splits, masks, phalanges(params), seed)


def draw_finger_masks(
    images: ImageStore,
    predicted: Predicted,
    cases: pd.DataFrame,
    rounds: pd.DataFrame,
    params: Params,
    source: str,
) -> tuple[Figure, Figure]:
    """A sheet of hands from young to old with their masks, and Dice over the rounds."""
    from boneage_kedro.evaluation.figures import age_titles, spread_over_ages
    from boneage_kedro.evaluation.segmentation.figures import mask_sheet, rounds_curve

    shown = spread_over_ages(cases, params["sheet_cases"])
    masks = masks_on_canvas(images, predicted, shown["id"].tolist())
    pictures = [images[key] for key in shown["id"]]
    sheet = mask_sheet(
        pictures, masks, age_titles(shown), params["sheet_columns"], f"Predicted phalanges, {source}"
    )
    named = rounds.assign(arm=params["rounds"]["selection"], seed=params["network"]["fit"]["seed"])
    return sheet, rounds_curve(named, [], f"Self-training on {source}")


def collect_finger_metrics(rounds: pd.DataFrame, summary: pd.DataFrame) -> dict[str, Any]:
    """Curves over rounds and final figures in the form MLflow takes."""
    return round_metrics(rounds, "round", ("validation_dice", "test_dice", "pseudo_dice"), summary)


def phalanges(params: Params) -> MaskKind:
    """What is masked here."""
    learnt = ("phalanx",) if params["binary"] else PHALANX_CLASSES
    side = params["network"]["input_px"]
    return MaskKind("finger_selftrain", "finger_mask_findings.csv", 1 + len(PHALANX_CLASSES), learnt, side)
