"""Steps that the pipelines with a segmentation network share; torch is imported inside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from PIL import Image
from rich.progress import track

from boneage_kedro.datasets.resumable_partitions import Parts, PartsState
from boneage_kedro.evaluation.ages.metrics import metric_curve
from boneage_kedro.imaging.sources import RadiographFolder
from boneage_kedro.imaging.store import ImageStore, StoreChunk, StoreState
from boneage_kedro.masks.folder import MaskFolder
from boneage_kedro.masks.ingest import ingest_masks
from boneage_kedro.masks.label_maps import mask_to_canvas
from boneage_kedro.provenance import fingerprint, fingerprint_code

if TYPE_CHECKING:
    from torch import Tensor, nn

    from boneage_kedro.models.weights import PretrainedWeights
    from boneage_kedro.training.segmentation.lesson import MaskedData
    from boneage_kedro.training.settings import FitSettings

_PART = 16

Predicted = Mapping[str, Callable[[], Image.Image]]
"""Masks of a partitioned dataset, each read when it is called."""


@dataclass(frozen=True)
class MaskKind:
    """What is masked, and what messages call it.

    Attributes:
        pipeline: the block of parameters.
        findings: the table that lists unusable files.
        file_classes: number of codes in the files, with the background.
        learnt: names of the codes 1, 2, ... that the network is taught; with a single name all codes of the files but
            0 are taken as one.
        input_px: side at which masks are learnt from.
        resize: whether masks of another size than their radiograph are brought to it.
    """

    pipeline: str
    findings: str
    file_classes: int
    learnt: tuple[str, ...]
    input_px: int
    resize: bool = False

    @property
    def binary(self) -> bool:
        """Whether all codes of the files count as one."""
        return len(self.learnt) == 1

    def folder(self, files: RadiographFolder, images: ImageStore) -> MaskFolder:
        """The files, checked against the radiographs."""
        return MaskFolder(files, images.index, self.file_classes, self.binary, self.resize)


def store_masks(
    files: RadiographFolder, images: ImageStore, state: StoreState, kind: MaskKind
) -> Iterator[StoreChunk]:
    """Bring the masks that people drew into the frame of the prepared radiographs, at the network's size."""
    yield from ingest_masks(kind.folder(files, images), images, state, kind.input_px)


def list_mask_problems(masks: ImageStore, files: RadiographFolder) -> pd.DataFrame:
    """What is wrong with files of masks: ``id, file, failure``."""
    doubles = [
        {"id": key, "file": names[0], "failure": f"is used, and not {', '.join(names[1:])} of the same id"}
        for key, names in files.duplicates.items()
    ]
    problems = pd.concat([masks.failures, pd.DataFrame(doubles)])
    return problems.reindex(columns=["id", "file", "failure"])  # a mask whose file is gone has no name


def gather_masked_data(
    images: ImageStore,
    splits: pd.DataFrame,
    masks: ImageStore,
    files: RadiographFolder,
    pretrained: PretrainedWeights,
    kind: MaskKind,
    may_lack_test: bool = False,
) -> MaskedData:
    """All that a training of a segmentation network is given; masks of the test part are only for figures."""
    from boneage_kedro.training.segmentation.lesson import MaskedData

    check_masks(masks, images, kind)
    test = read_test_masks(files, images, splits, masks, kind, may_lack_test)
    return MaskedData(images, splits, masks, test, 1 + len(kind.learnt), pretrained)


def check_masks(masks: ImageStore, images: ImageStore, kind: MaskKind) -> None:
    """See that stored masks are what the parameters and the pictures ask for.

    Raises:
        ValueError: they were stored for others; the message names the key.
    """
    stored = masks.header.preparation | {"input_px": masks.header.canvas_px}
    wanted = {
        f"{kind.pipeline}.network.input_px": (stored["input_px"], kind.input_px),
        f"{kind.pipeline}.binary": (stored["binary"], kind.binary),
        "data_prep.preparation.canvas_px": (stored["canvas_px"], images.header.canvas_px),
    }
    for key, (found, asked) in wanted.items():
        if found != asked:
            raise ValueError(
                f"masks are stored for {key} = {found}, and it is {asked} now; run the pipeline {kind.pipeline} from "
                "its first node"
            )


def read_test_masks(
    files: RadiographFolder,
    images: ImageStore,
    splits: pd.DataFrame,
    masks: ImageStore,
    kind: MaskKind,
    may_lack: bool = False,
) -> dict[str, np.ndarray]:
    """The usable masks of the test part, at the size of their radiographs.

    Raises:
        ValueError: there are none, so nothing could be measured in the end, and this was not allowed.
    """
    folder = kind.folder(files, images)
    by_part = splits[splits["id"].isin(masks.ids)].groupby("split")["id"].apply(sorted)
    if "test" not in by_part and may_lack:
        return {}
    if "test" not in by_part:
        counts = ", ".join(f"{part} {len(ids)}" for part, ids in by_part.items()) or "none at all"
        raise ValueError(
            f"no usable mask is in the test part (masks by part: {counts}); bring more masks, and see "
            f"{kind.findings} for those that cannot be used"
        )
    return {key: folder[key] for key in by_part["test"]}


def name_predictions(
    weights: Mapping[str, Tensor], settings: Mapping[str, Any], images: ImageStore, *others: Any
) -> str:
    """A fingerprint of all that decides what the predicted masks of a store are."""
    from boneage_kedro.models.weights import fingerprint_weights

    code = fingerprint_code("imaging", "masks", "models", "training", "reading")
    return fingerprint(fingerprint_weights(weights), settings, images.fingerprint(images.ids), code, *others)


def mask_in_parts(
    network: nn.Module,
    images: ImageStore,
    input_px: int,
    fit: FitSettings,
    state: PartsState,
    made_by: str,
    what: str,
) -> Iterator[Parts]:
    """Mask every hand of the store, in the frame and at the size of its radiograph, going on after a kill."""
    from boneage_kedro.training.device import device_of
    from boneage_kedro.training.segmentation.network_training import predict_masks

    todo = left_to_do(images, state, made_by)
    device = device_of(fit["accelerator"])
    predicted = predict_masks(network, images, todo, input_px, fit["batch_size"], device)
    shown = track(predicted, f"masking {what}", total=len(todo), transient=True)
    yield from in_parts(((key, Image.fromarray(mask)) for key, mask in shown), made_by)


def left_to_do(images: ImageStore, state: PartsState, made_by: str) -> list[str]:
    """Pictures of a store that a partitioned dataset does not hold yet, or not made in this way."""
    done = state.ids if state.made_by == made_by else frozenset()
    return [key for key in images.ids if key not in done]


def in_parts(made: Iterable[tuple[str, Any]], made_by: str) -> Iterator[Parts]:
    """Items by id as parts of a few, and a last one that says that all are there."""
    part: dict[str, Any] = {}
    for key, item in made:
        part[key] = item
        if len(part) == _PART:
            yield Parts(made_by, part)
            part = {}
    yield Parts(made_by, part, last=True)


def score_test_masks(
    predicted: Predicted,
    files: RadiographFolder,
    images: ImageStore,
    splits: pd.DataFrame,
    masks: ImageStore,
    kind: MaskKind,
    seed: int,
    may_lack: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare predicted masks of the test part with those that people drew, at the radiographs' own size.

    Returns:
        a row a case, and means with spread and interval.
    """
    from boneage_kedro.evaluation.segmentation.scores import score_masks, summarise_scores

    truth = read_test_masks(files, images, splits, masks, kind, may_lack)
    found = {key: np.asarray(predicted[key]()) for key in truth}
    scores = score_masks(found, truth, kind.learnt)
    return scores, summarise_scores(scores, seed)


def masks_on_canvas(images: ImageStore, predicted: Predicted, ids: Sequence[str]) -> list[np.ndarray]:
    """Predicted masks in the frame of the prepared radiographs."""
    side = images.header.canvas_px
    return [mask_to_canvas(np.asarray(predicted[key]()), images.frame(key, side)[0], side) for key in ids]


def round_metrics(
    rounds: pd.DataFrame, step: str, columns: Sequence[str], summary: pd.DataFrame
) -> dict[str, Any]:
    """Curves over a column of the rounds, and the means of a summary, in the form MLflow takes."""
    metrics: dict[str, Any] = {}
    for column in columns:
        points = rounds[[step, column]].dropna()
        if len(points):
            metrics[column] = metric_curve(points[step], points[column])
    for row in summary.to_dict("records"):
        metrics[f"test.{row['measure']}"] = {"step": 0, "value": float(row["mean"])}
    return metrics


def study_metrics(table: pd.DataFrame, step: str) -> dict[str, Any]:
    """A curve of ``test_dice`` over a column, an arm and seed each, in the form MLflow takes."""
    return {
        f"{arm}.{seed}.test_dice": metric_curve(part[step], part["test_dice"])
        for (arm, seed), part in table.groupby(["arm", "seed"])
    }
