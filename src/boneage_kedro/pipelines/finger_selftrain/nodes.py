"""Nodes of `finger_selftrain`. Torch is imported inside them, so that the CLI and kedro viz start quickly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from PIL import Image
from rich.progress import track

from boneage_kedro.datasets.resumable_partitions import Parts, PartsState
from boneage_kedro.evaluation.metrics import metric_curve
from boneage_kedro.imaging.sources import RadiographFolder
from boneage_kedro.imaging.store import ImageStore, StoreChunk, StoreState
from boneage_kedro.masks.folder import MaskFolder
from boneage_kedro.masks.ingest import ingest_masks
from boneage_kedro.masks.label_maps import mask_to_canvas
from boneage_kedro.phantom import PHALANX_CLASSES
from boneage_kedro.pipelines.finger_selftrain.params import Params
from boneage_kedro.provenance import fingerprint, fingerprint_code

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

    from boneage_kedro.masks.crf_settings import CrfSettings
    from boneage_kedro.models.weights import PretrainedWeights
    from boneage_kedro.training.checkpoint import CheckpointFile
    from boneage_kedro.training.finger_training import FingerData

_PART = 16


def store_finger_masks(
    files: RadiographFolder, images: ImageStore, state: StoreState, params: Params
) -> Iterator[StoreChunk]:
    """Bring the masks that people drew into the frame of the prepared radiographs, at the network's size."""
    yield from ingest_masks(_folder(files, images, params), images, state, params["network"]["input_px"])


def list_mask_problems(masks: ImageStore, files: RadiographFolder) -> pd.DataFrame:
    """What is wrong with files of masks: ``id, file, failure``."""
    doubles = [
        {"id": key, "file": names[0], "failure": f"is used, and not {', '.join(names[1:])} of the same id"}
        for key, names in files.duplicates.items()
    ]
    return pd.concat([masks.failures, pd.DataFrame(doubles)])[["id", "file", "failure"]]


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
    from boneage_kedro.training.finger_training import train_finger_segmenter

    data = gather_finger_data(images, splits, masks, files, pretrained, params)
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


def gather_finger_data(
    images: ImageStore,
    splits: pd.DataFrame,
    masks: ImageStore,
    files: RadiographFolder,
    pretrained: PretrainedWeights,
    params: Params,
) -> FingerData:
    """All that a training of the student is given."""
    from boneage_kedro.training.finger_training import FingerData

    check_masks(masks, images, params)
    test = read_test_masks(files, images, splits, masks, params)
    classes = 1 + len(_class_names(params))
    return FingerData(images, splits, masks, test, classes, pretrained)


def read_test_masks(
    files: RadiographFolder, images: ImageStore, splits: pd.DataFrame, masks: ImageStore, params: Params
) -> dict[str, np.ndarray]:
    """The usable masks of the test part, at the size of their radiographs.

    Raises:
        ValueError: there are none, so nothing could be measured in the end.
    """
    folder = _folder(files, images, params)
    by_part = splits[splits["id"].isin(masks.ids)].groupby("split")["id"].apply(sorted)
    if "test" not in by_part:
        counts = ", ".join(f"{part} {len(ids)}" for part, ids in by_part.items()) or "none at all"
        raise ValueError(
            f"no usable mask is in the test part (masks by part: {counts}); bring more masks, and see "
            "finger_mask_findings.csv for those that cannot be used"
        )
    return {key: folder[key] for key in by_part["test"]}


def check_masks(masks: ImageStore, images: ImageStore, params: Params) -> None:
    """See that stored masks are what the parameters and the pictures ask for.

    Raises:
        ValueError: they were stored for others; the message names the key.
    """
    stored = masks.header.preparation | {"input_px": masks.header.canvas_px}
    wanted = {
        "finger_selftrain.network.input_px": (stored["input_px"], params["network"]["input_px"]),
        "finger_selftrain.binary": (stored["binary"], params["binary"]),
        "data_prep.preparation.canvas_px": (stored["canvas_px"], images.header.canvas_px),
    }
    for key, (found, asked) in wanted.items():
        if found != asked:
            raise ValueError(
                f"masks are stored for {key} = {found}, and it is {asked} now; run the node store_finger_masks"
            )


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
    from boneage_kedro.models.weights import fingerprint_weights
    from boneage_kedro.training.device import device_of
    from boneage_kedro.training.segmentation import build_segmenter, check_preparation, predict_masks

    check_preparation(settings, images)
    network = build_segmenter(weights, settings)
    code = fingerprint_code("imaging", "masks", "models", "training")
    made_by = fingerprint(fingerprint_weights(weights), settings, images.fingerprint(images.ids), code)
    done = state.ids if state.made_by == made_by else frozenset()
    todo = [key for key in images.ids if key not in done]
    fit = params["network"]["fit"]
    predicted = predict_masks(
        network, images, todo, settings["input_px"], fit["batch_size"], device_of(fit["accelerator"])
    )
    part: dict[str, Image.Image] = {}
    for key, mask in track(predicted, "masking phalanges", total=len(todo), transient=True):
        part[key] = Image.fromarray(mask)
        if len(part) == _PART:
            yield Parts(made_by, part)
            part = {}
    yield Parts(made_by, part, last=True)


def score_finger_masks(
    predicted: Mapping[str, Callable[[], Image.Image]],
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
    from boneage_kedro.evaluation.segmentation import score_masks, summarise_scores

    truth = read_test_masks(files, images, splits, masks, params)
    found = {key: np.asarray(predicted[key]()) for key in truth}
    scores = score_masks(found, truth, _class_names(params))
    return scores, summarise_scores(scores, params["network"]["fit"]["seed"])


def draw_finger_masks(
    images: ImageStore,
    predicted: Mapping[str, Callable[[], Image.Image]],
    cases: pd.DataFrame,
    rounds: pd.DataFrame,
    params: Params,
    source: str,
) -> tuple[Figure, Figure]:
    """A sheet of hands from young to old with their masks, and Dice over the rounds."""
    from boneage_kedro.evaluation.figures import age_titles, spread_over_ages
    from boneage_kedro.evaluation.segmentation_figures import mask_sheet, rounds_curve

    shown = spread_over_ages(cases, params["sheet_cases"])
    masks = _on_canvas(images, predicted, shown["id"].tolist())
    pictures = [images[key] for key in shown["id"]]
    sheet = mask_sheet(
        pictures, masks, age_titles(shown), params["sheet_columns"], f"Predicted phalanges, {source}"
    )
    named = rounds.assign(arm=params["rounds"]["selection"], seed=params["network"]["fit"]["seed"])
    return sheet, rounds_curve(named, [], f"Self-training on {source}")


def _on_canvas(
    images: ImageStore, predicted: Mapping[str, Callable[[], Image.Image]], ids: Sequence[str]
) -> list[np.ndarray]:
    """Predicted masks in the frame of the prepared radiographs."""
    side = images.header.canvas_px
    return [mask_to_canvas(np.asarray(predicted[key]()), images.frame(key, side)[0], side) for key in ids]


def collect_finger_metrics(rounds: pd.DataFrame, summary: pd.DataFrame) -> dict[str, Any]:
    """Curves over rounds and final figures in the form MLflow takes."""
    metrics: dict[str, Any] = {}
    for column in ("validation_dice", "test_dice", "pseudo_dice"):
        points = rounds[["round", column]].dropna()
        if len(points):
            metrics[column] = metric_curve(points["round"], points[column])
    for row in summary.to_dict("records"):
        metrics[f"test.{row['measure']}"] = {"step": 0, "value": float(row["mean"])}
    return metrics


def _class_names(params: Params) -> tuple[str, ...]:
    return ("phalanx",) if params["binary"] else PHALANX_CLASSES


def _folder(files: RadiographFolder, images: ImageStore, params: Params) -> MaskFolder:
    return MaskFolder(files, images.index, 1 + len(PHALANX_CLASSES), params["binary"], resize=False)
