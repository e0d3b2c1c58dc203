"""A predictor of ages under stress: every radiograph in every transformation, from the file to the age."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import cv2
import numpy as np
import pandas as pd
import torch

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.imaging.changes.stress import Transformation
from boneage_kedro.imaging.ingest import read_content
from boneage_kedro.imaging.parallel import map_ordered
from boneage_kedro.imaging.preparation.prepare import PreparationSettings, Prepared, prepare
from boneage_kedro.imaging.radiograph import Radiograph, UnreadableRadiograph
from boneage_kedro.imaging.reading import read_radiograph
from boneage_kedro.imaging.sources import RadiographSource
from boneage_kedro.models.age_ensemble import AgeNetwork
from boneage_kedro.provenance import fingerprint, fingerprint_code
from boneage_kedro.reading.age_pictures import AgePictures, Trained
from boneage_kedro.reading.hand_reader import HandReader
from boneage_kedro.reading.reliability import Reliability
from boneage_kedro.training.ages.attention_maps import AttentionMapper
from boneage_kedro.training.ages.settings import ViewSettings
from boneage_kedro.training.ages.views import PLAIN
from boneage_kedro.training.batches import to_input
from boneage_kedro.training.checkpoint import CheckpointFile

logger = logging.getLogger(__name__)

PictureMaker = Callable[[Sequence[str], Sequence[Prepared], Sequence[np.ndarray]], Sequence[Prepared]]
"""Ids, prepared pictures and pixels (H, W) of a batch to the pictures that are read."""


class Answers(NamedTuple):
    """What a predictor makes of a batch.

    Attributes:
        ages: (B,) months; nan refuses a picture.
        reasons: (B,) why an age must not be relied on; empty where it may be.
    """

    ages: Sequence[float]
    reasons: Sequence[str]


Predictor = Callable[[Sequence[Prepared], np.ndarray], Answers]
"""Prepared pictures and whether each child is a boy, (B,) bool, to ages."""


def _as_prepared(
    ids: Sequence[str], prepared: Sequence[Prepared], pixels: Sequence[np.ndarray]
) -> Sequence[Prepared]:
    return prepared


@dataclass(frozen=True)
class StressTest:
    """What is put under stress, and how.

    Attributes:
        predict: see `Predictor`.
        predictor_name: a fingerprint of it and of ``pictures``; ages of another one are not taken for its own.
        preparation: of radiographs.
        batch_size: pictures that it is given at once.
        workers: threads that read, change and prepare pictures.
        pictures: makes those that it takes of prepared ones, if these are not what it takes.
    """

    predict: Predictor
    predictor_name: str
    preparation: PreparationSettings
    batch_size: int
    workers: int
    pictures: PictureMaker = _as_prepared


def run_stress(
    cases: pd.DataFrame,
    radiographs: Mapping[str, RadiographSource],
    transformations: Sequence[Transformation],
    test: StressTest,
    checkpoint: CheckpointFile,
) -> Iterator[pd.DataFrame]:
    """Predict every case in every transformation; one that was finished before is not run again.

    Memory does not grow with the number of cases. What a header vouches for is forgotten, as when a picture is
    exported, so that DICOM and PNG are tried alike.

    Args:
        cases: ``id, sex``.
        transformations: the unchanged picture among them
            (`boneage_kedro.imaging.changes.stress.list_transformations`).
        checkpoint: one beside it is kept for each transformation.

    Yields:
        after each transformation the table so far: ``id, kind, transformation, predicted_months, picture_change,
        warnings, reasons``. The age is nan where the file cannot be read or the predictor refuses the picture;
        ``picture_change`` is the mean absolute change of the prepared picture, part of the gray range; for
        ``reasons`` see `Answers`.
    """
    cv2.setNumThreads(1)  # the threads here share the cores already
    pictures = [[key, _content_name(radiographs.get(key))] for key in cases["id"]]
    made_by = [test.predictor_name, dict(test.preparation), pictures, cases["sex"].tolist()]
    code = fingerprint_code("imaging", "models", "training", "reading")
    rows: list[dict[str, Any]] = []
    for number, transformation in enumerate(transformations, 1):
        name = fingerprint(transformation.kind, transformation.name, transformation.seed)
        cell = checkpoint.beside(name[:12])
        rows += _run_cell(cases, radiographs, transformation, test, cell, fingerprint(name, made_by, code))
        logger.info("Stress: %s, %d of %d", transformation.name, number, len(transformations))
        yield pd.DataFrame(rows)


def network_predictor(
    model: AgeNetwork, reliability: Reliability, device: torch.device, views: ViewSettings = PLAIN
) -> Predictor:
    """The predictions of one network in these views, in evaluation mode on ``device``, judged as `assess` does."""
    mapper = AttentionMapper(model.eval(), views)

    @torch.inference_mode()
    def predict(prepared: Sequence[Prepared], is_male: np.ndarray) -> Answers:
        raw = torch.from_numpy(np.stack([one.image for one in prepared])).to(device)
        images = to_input(raw, model.config.input_px)
        seen = mapper(images, torch.from_numpy(is_male).to(device))
        ages, distances = seen.ages.tolist(), reliability.familiarity(seen.features.float().cpu()).tolist()
        reasons = [reliability.reasons(*pair) for pair in zip(ages, distances, strict=True)]
        return Answers(ages, ["; ".join(mine) for mine in reasons])

    return predict


def picture_maker(
    settings: Mapping[str, Any], committee: Trained | None, enhancer: Trained | None, device: torch.device
) -> tuple[PreparationSettings, PictureMaker]:
    """How radiographs are prepared for a network that reads ages, and what makes its pictures of them then.

    Args:
        settings: of the network.
        committee: that masks hands, where the network reads cut ones.
        enhancer: see `AgePictures`.

    Raises:
        ValueError: as `AgePictures`.
    """
    pictures = AgePictures(settings, ["hand"] if committee else [], enhancer, device)
    if not committee:
        return settings["preparation"], _as_prepared
    reader = HandReader(*committee, device)

    def make(
        ids: Sequence[str], prepared: Sequence[Prepared], pixels: Sequence[np.ndarray]
    ) -> Sequence[Prepared]:
        found = reader.read(ids, prepared, pixels)
        return pictures.of(ids, prepared, pixels, [one.mask if one.trusted else None for one in found])

    return reader.preparation, make


@dataclass
class _Stressed:
    """A case on its way: its row and, if the file could be read, its changed picture, (H, W) and prepared."""

    row: dict[str, Any]
    is_male: bool
    pixels: np.ndarray | None = None
    prepared: Prepared | None = None


def _run_cell(
    cases: pd.DataFrame,
    radiographs: Mapping[str, RadiographSource],
    transformation: Transformation,
    test: StressTest,
    checkpoint: CheckpointFile,
    made_by: str,
) -> list[dict[str, Any]]:
    """The rows of one transformation, from its checkpoint if they are there."""
    state = checkpoint.load()
    if state and state["fingerprint"] == made_by:
        done: list[dict[str, Any]] = state["rows"]
        return done
    change = partial(
        _change, radiographs=radiographs, transformation=transformation, preparation=test.preparation
    )
    records: list[Any] = cases[["id", "sex"]].to_dict("records")
    ahead = max(test.batch_size, test.workers)
    changed = map_ordered(change, records, test.workers, ahead)
    rows: list[dict[str, Any]] = []
    while batch := list(islice(changed, test.batch_size)):
        _predict(batch, test)
        rows += [case.row for case in batch]
    checkpoint.save({"fingerprint": made_by, "rows": rows})
    return rows


def _change(
    case: Mapping[str, str],
    radiographs: Mapping[str, RadiographSource],
    transformation: Transformation,
    preparation: PreparationSettings,
) -> _Stressed:
    """Read, change and prepare one picture."""
    key = case["id"]
    row = {
        "id": key,
        "kind": transformation.kind,
        "transformation": transformation.name,
        "predicted_months": float("nan"),
        "picture_change": float("nan"),
        "warnings": "",
        "reasons": "",
    }
    stressed = _Stressed(row, case["sex"] == Sex.MALE)
    try:
        radiograph = _read(key, radiographs)
    except UnreadableRadiograph as error:
        row["warnings"] = str(error)
        return stressed
    plain = prepare(radiograph, preparation)
    changed = replace(radiograph, pixels=transformation.apply(radiograph.pixels, key))
    stressed.pixels, stressed.prepared = changed.pixels, prepare(changed, preparation)
    row["picture_change"] = _difference(plain.image, stressed.prepared.image)
    row["warnings"] = "; ".join(stressed.prepared.warnings)
    return stressed


def _read(key: str, radiographs: Mapping[str, RadiographSource]) -> Radiograph:
    """The radiograph as if it had come without a header."""
    if key not in radiographs:
        raise UnreadableRadiograph(f"there is no radiograph named {key}")
    source = radiographs[key]
    return replace(read_radiograph(read_content(source), source.name), polarity_known=False)


def _predict(batch: Sequence[_Stressed], test: StressTest) -> None:
    """Put the ages of a batch, and what speaks against them, into its rows."""
    pictured = [case for case in batch if case.prepared is not None]
    if not pictured:
        return
    pictures = test.pictures(
        [case.row["id"] for case in pictured],
        [case.prepared for case in pictured if case.prepared],
        [case.pixels for case in pictured if case.pixels is not None],
    )
    answers = test.predict(pictures, np.array([case.is_male for case in pictured]))
    for case, age, reasons in zip(pictured, *answers, strict=True):
        doubts = case.prepared.doubts if case.prepared else ()
        case.row |= {"predicted_months": float(age), "reasons": "; ".join(filter(None, [*doubts, reasons]))}


def _difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(cv2.absdiff(one, other).mean() / 255)


def _content_name(source: RadiographSource | None) -> str:
    """Changes with the content of a file; empty where there is none to read."""
    try:
        return source.fingerprint if source else ""
    except OSError:  # reading it again will say what is wrong
        return ""
