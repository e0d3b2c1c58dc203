"""Nodes of `dru_segmentation`. Torch is imported inside them, so that the CLI and kedro viz start quickly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from PIL import Image
from rich.progress import track

from boneage_kedro.cohort.roi_boxes import first_reader, read_block_boxes
from boneage_kedro.datasets.resumable_partitions import Parts, PartsState
from boneage_kedro.imaging.sources import RadiographFolder
from boneage_kedro.imaging.store import ImageStore, StoreChunk, StoreState
from boneage_kedro.masks.drawn.outline_folder import OutlineFolder, read_parts
from boneage_kedro.masks.forearm.block import FOREARM_LABELS, blocks_of_outlines
from boneage_kedro.masks.forearm.store import ingest_forearms
from boneage_kedro.masks.ingest import ingest_masks
from boneage_kedro.masks.label_maps import UnusableMask
from boneage_kedro.pipelines.dru_segmentation.params import Params
from boneage_kedro.pipelines.mask_steps import (
    Predicted,
    in_parts,
    left_to_do,
    masks_on_canvas,
    name_predictions,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

    from boneage_kedro.models.weights import PretrainedWeights
    from boneage_kedro.training.checkpoint import CheckpointFile
    from boneage_kedro.training.segmentation.lesson import MaskedData

_BONES = tuple(FOREARM_LABELS)


def split_forearms(splits: pd.DataFrame, parts: pd.DataFrame | None, folder: Path) -> pd.DataFrame:
    """The split of the project; outlined radiographs are in the part that their own table names, if there is one.

    Raises:
        ValueError: that table does not fit the outlines.
    """
    if parts is None:
        return splits
    own = read_parts(parts, [file.stem for file in folder.glob("*.json")])
    return pd.concat([splits, own[own["id"].isin(splits["id"])]]).drop_duplicates("id", keep="last")


def gather_blocks(
    folder: Path, images: ImageStore, raw_boxes: pd.DataFrame | None, params: Params
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The known radius-ulna blocks: boxes that people drew, else those of the outlines.

    Returns:
        blocks as from `boneage_kedro.cohort.roi_boxes.read_block_boxes`, one a radiograph; and what is wrong with
        boxes and outlines (`boneage_kedro.cohort.findings.finding_rows`).
    """
    blocks, findings = blocks_of_outlines(_outlines(folder, images), images)
    if raw_boxes is None:
        return blocks, findings
    drawn, bad = read_block_boxes(raw_boxes)
    mine = first_reader(drawn, params["readers"])
    others = blocks[~blocks["id"].isin(mine["id"])]
    known = pd.concat([mine[mine["id"].isin(images.ids)], others], ignore_index=True)
    return known, pd.concat([findings, bad], ignore_index=True)


def train_forearm_detector(
    images: ImageStore,
    blocks: pd.DataFrame,
    splits: pd.DataFrame,
    pretrained: PretrainedWeights,
    checkpoint: CheckpointFile,
    params: Params,
) -> tuple[dict[str, Tensor], dict[str, Any], pd.DataFrame]:
    """Train the detector on known blocks.

    Returns:
        its weights, the settings that build it again, and a row an epoch.
    """
    from boneage_kedro.training.forearm.block_detection import train_block_detector

    model, settings, history = train_block_detector(
        images,
        blocks,
        dict(zip(splits["id"], splits["split"], strict=True)),
        checkpoint,
        params["detector"],
        params["detector_stages"],
        pretrained,
    )
    return model.state_dict(), settings, pd.DataFrame(history)


def find_forearms(
    images: ImageStore, weights: dict[str, Tensor], settings: dict[str, Any], params: Params
) -> pd.DataFrame:
    """Find the block in every picture of the store (see `boneage_kedro.training.forearm.finding.find_blocks`)."""
    from boneage_kedro.training.device import device_of
    from boneage_kedro.training.forearm.block_detection import build_block_detector
    from boneage_kedro.training.forearm.finding import find_blocks
    from boneage_kedro.training.segmentation.network_training import check_preparation

    check_preparation(settings, images)
    fit = params["detector"]["fit"]
    detector, device = build_block_detector(weights, settings), device_of(fit["accelerator"])
    return find_blocks(detector, images, settings["threshold"], fit["batch_size"], device)


def store_forearms(
    radiographs: RadiographFolder,
    images: ImageStore,
    found: pd.DataFrame,
    blocks: pd.DataFrame,
    splits: pd.DataFrame,
    state: StoreState,
    params: Params,
) -> Iterator[StoreChunk]:
    """Cut every radiograph to its forearm: where it was found, but where it is known if the case is learnt from."""
    from boneage_kedro.training.forearm.block_samples import boxes_in_store
    from boneage_kedro.training.forearm.finding import boxes_by_id

    learnt = set(splits.loc[splits["split"] != "test", "id"])
    known = boxes_in_store(blocks[blocks["id"].isin(learnt)].dropna(), images)
    boxes = {**boxes_by_id(found), **known}
    yield from ingest_forearms(
        radiographs, images, boxes, params["crop"], params["input_px"], state, params["workers"]
    )


def store_outlines(folder: Path, forearms: ImageStore, state: StoreState) -> Iterator[StoreChunk]:
    """Bring the outlines as masks into the frame of the cut radiographs."""
    yield from ingest_masks(_outlines(folder, forearms), forearms, state, forearms.header.canvas_px)


def train_dru_segmenter(
    images: ImageStore,
    forearms: ImageStore,
    splits: pd.DataFrame,
    masks: ImageStore,
    folder: Path,
    detector_weights: dict[str, Tensor],
    detector_settings: dict[str, Any],
    pretrained: PretrainedWeights,
    checkpoint: CheckpointFile,
    params: Params,
) -> tuple[dict[str, Tensor], dict[str, Any], pd.DataFrame]:
    """Train the network that tells radius, ulna and background apart.

    Returns:
        the weights of detector and network, the settings that build both again, and a row an epoch.
    """
    from boneage_kedro.reading.forearm_reader import join_networks
    from boneage_kedro.training.forearm.presets import pick_preset, settings_of
    from boneage_kedro.training.forearm.training import train_forearm_segmenter

    preset = pick_preset(params["presets"], params["preset"], "dru_segmentation.preset")
    network, stages = settings_of(preset, params["input_px"], {})
    data = gather_forearms(images, forearms, splits, masks, folder, pretrained)
    model, settings, history = train_forearm_segmenter(data, network, stages, params["labelled"], checkpoint)
    weights = join_networks(detector_weights, model.state_dict())
    return weights, {**detector_settings, **settings, "crop": dict(params["crop"])}, history


def gather_forearms(
    images: ImageStore,
    forearms: ImageStore,
    splits: pd.DataFrame,
    masks: ImageStore,
    folder: Path,
    pretrained: PretrainedWeights,
) -> MaskedData:
    """All that a training on cut radiographs is given; masks of the test part are only for figures.

    Raises:
        ValueError: no outline is in the test part, so nothing could be measured in the end.
    """
    from boneage_kedro.training.segmentation.lesson import MaskedData

    test = read_test_outlines(folder, images, splits)
    cut = splits[splits["id"].isin(forearms.ids)]  # where no forearm was found there is nothing to learn from
    return MaskedData(forearms, cut, masks, test, 1 + len(_BONES), pretrained)


def read_test_outlines(folder: Path, images: ImageStore, splits: pd.DataFrame) -> dict[str, np.ndarray]:
    """The usable outlines of the test part as masks at the size of their radiographs.

    Raises:
        ValueError: there is none.
    """
    outlines, test = _outlines(folder, images), {}
    for key in sorted(set(splits.loc[splits["split"] == "test", "id"]) & set(outlines)):
        try:
            test[key] = outlines[key]
        except UnusableMask:
            continue  # it is among the findings
    if not test:
        raise ValueError(
            f"no usable outline in {folder.name} is in the test part; bring more, and see dru_findings.csv for those "
            "that cannot be used"
        )
    return test


def predict_dru_masks(
    images: ImageStore,
    forearms: ImageStore,
    weights: dict[str, Tensor],
    settings: dict[str, Any],
    state: PartsState,
    params: Params,
) -> Iterator[Parts]:
    """Mask radius and ulna of every radiograph, at its size, going on after a kill; empty without a forearm."""
    from boneage_kedro.reading.forearm_reader import build_networks
    from boneage_kedro.training.forearm.presets import pick_preset
    from boneage_kedro.training.forearm.training import predict_forearms

    made_by = name_predictions(weights, settings, forearms, images.fingerprint(images.ids))
    todo = left_to_do(images, state, made_by)
    _, network = build_networks(weights, settings)
    fit = pick_preset(params["presets"], params["preset"], "dru_segmentation.preset")["network"]["fit"]
    masks = predict_forearms(network, images, forearms, todo, fit)
    shown = track(masks, "masking radius and ulna", total=len(todo), transient=True)
    yield from in_parts(((key, Image.fromarray(mask)) for key, mask in shown), made_by)


def score_dru_masks(
    predicted: Predicted, folder: Path, images: ImageStore, splits: pd.DataFrame, params: Params
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare masks of the test part with the outlines, at the radiographs' own size.

    Returns:
        a row a case (`boneage_kedro.evaluation.segmentation.class_scores.score_classes`); and a row a measure: mean
        over cases with spread and interval, and ``pooled``, that of all pixels taken together.
    """
    from boneage_kedro.evaluation.segmentation.class_scores import score_classes, score_pooled
    from boneage_kedro.evaluation.segmentation.scores import summarise_scores

    truth = read_test_outlines(folder, images, splits)
    found = {key: np.asarray(predicted[key]()) for key in truth}
    scores = score_classes(found, truth, _BONES)
    summary = summarise_scores(scores, params["detector"]["fit"]["seed"])
    return scores, summary.assign(pooled=summary["measure"].map(score_pooled(found, truth, _BONES)))


def score_detector(
    images: ImageStore,
    blocks: pd.DataFrame,
    splits: pd.DataFrame,
    weights: dict[str, Tensor],
    settings: dict[str, Any],
    params: Params,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare blocks of the test part with the known ones; of the same pictures cut above them none is to be found.

    Returns:
        two rows a case (`boneage_kedro.training.forearm.finding.score_blocks`), with the ``reader`` of the known
        block, and a row a measure
        (`boneage_kedro.evaluation.segmentation.detection.summarise_boxes`).
    """
    from boneage_kedro.evaluation.segmentation.detection import summarise_boxes
    from boneage_kedro.training.device import device_of
    from boneage_kedro.training.forearm.block_detection import build_block_detector
    from boneage_kedro.training.forearm.block_samples import boxes_in_store
    from boneage_kedro.training.forearm.finding import score_blocks

    test = set(splits.loc[splits["split"] == "test", "id"])
    truth = boxes_in_store(blocks[blocks["id"].isin(test)].dropna(), images)
    fit, ids = params["detector"]["fit"], sorted(truth)
    detector, device = build_block_detector(weights, settings), device_of(fit["accelerator"])
    scores = score_blocks(detector, images, truth, ids, settings["threshold"], fit["batch_size"], device)
    readers = blocks.set_index("id")["reader"]
    return scores.assign(reader=scores["id"].map(readers)), summarise_boxes(scores, fit["seed"])


def draw_forearms(
    forearms: ImageStore,
    predicted: Predicted,
    cases: pd.DataFrame,
    history: pd.DataFrame,
    params: Params,
    source: str,
) -> tuple[Figure, Figure]:
    """A sheet of forearms from young to old with their masks, and loss and scores over the iterations."""
    from boneage_kedro.evaluation.figures import age_titles, spread_over_ages
    from boneage_kedro.evaluation.segmentation.figures import mask_sheet
    from boneage_kedro.evaluation.segmentation.forearm_figures import iteration_curves

    shown = spread_over_ages(cases[cases["id"].isin(forearms.ids)], params["sheet_cases"])
    ids = shown["id"].tolist()
    sheet = mask_sheet(
        [forearms[key] for key in ids],
        masks_on_canvas(forearms, predicted, ids),
        age_titles(shown),
        params["sheet_columns"],
        f"Predicted radius and ulna, {source}",
    )
    return sheet, iteration_curves(history, _BONES, f"{params['preset']}, {source}")


def collect_dru_metrics(
    history: pd.DataFrame, summary: pd.DataFrame, detector: pd.DataFrame
) -> dict[str, Any]:
    """Curves over the iterations and final figures in the form MLflow takes."""
    from boneage_kedro.evaluation.ages.metrics import final_metrics, metric_curve

    curves = {
        column: metric_curve(history["iteration"], history[column])
        for column in history.columns
        if column.startswith(("train_", "validation_"))
    }
    final = {f"test.{row['measure']}": row["pooled"] for row in summary.to_dict("records")}
    found = detector.dropna(subset="mean")
    final |= {f"detector.{row['measure']}": row["mean"] for row in found.to_dict("records")}
    return curves | final_metrics(final)


def _outlines(folder: Path, images: ImageStore) -> OutlineFolder:
    return OutlineFolder(folder, images.index, FOREARM_LABELS)
