"""Reading new cases with a trained network: from files and a table of sexes to ages with a status."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Any, Literal

import cv2
import numpy as np
import pandas as pd
import torch
from torch import Tensor

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.evaluation.attention_placing import place_maps
from boneage_kedro.evaluation.overlay import overlay_map
from boneage_kedro.imaging.ingest import read_content
from boneage_kedro.imaging.parallel import map_ordered
from boneage_kedro.imaging.preparation import PreparationSettings, Prepared, prepare, render
from boneage_kedro.imaging.radiograph import Radiograph, UnreadableRadiograph
from boneage_kedro.imaging.reading import read_radiograph
from boneage_kedro.imaging.sources import Radiographs
from boneage_kedro.masks.wrist import wrist_doubt
from boneage_kedro.models.age_ensemble import AgeNetwork
from boneage_kedro.models.cell_grid import CellGrid, locate_cells
from boneage_kedro.training.batches import AgeSamples, to_input
from boneage_kedro.training.device import device_of
from boneage_kedro.training.familiarity import pool
from boneage_kedro.training.mask_readers import MaskReader
from boneage_kedro.training.predict import map_attention
from boneage_kedro.training.regression import build_regressor, views_in
from boneage_kedro.training.reliability import Reliability
from boneage_kedro.training.settings import AssessSettings, ViewSettings

# One scale of colours for all cases, so that a map near the average child's is pale: in standard deviations of the
# ages in training.
FULL_COLOUR_SD = 4.0
_SAME_AGE_MONTHS = 12  # a header may give whole years


class Status(StrEnum):
    """What a reading is worth: an age; an age not to rely on, with the reason; or a reason alone."""

    OK = "ok"
    INDETERMINATE = "indeterminate"
    FAILED = "failed"


@dataclass
class Reading:
    """The result of one case; from ``lower_months`` to ``upper_months`` is the interval about its age.

    The chronological age is the table's, else that of the file's header. ``hand_score`` says how well the networks
    that look for the hand agree (see `MaskReading`). Numbers are nan where they are not known. ``side`` is the hand's
    by the header.
    ``overlay`` is (P, 2P, 3) uint8 RGB, the picture beside its activation map; ``masks`` are (H, W) uint8 class
    codes at the size of the file, by kind.
    """

    id: str
    sex: str
    bone_age_months: float = np.nan
    lower_months: float = np.nan
    upper_months: float = np.nan
    chronological_age_months: float = np.nan
    hand_score: float = np.nan
    side: Literal["L", "R"] | None = None
    status: Status = Status.OK
    warnings: list[str] = field(default_factory=list)
    overlay: np.ndarray | None = None
    masks: dict[str, np.ndarray] = field(default_factory=dict)

    def fail(self, reason: str) -> None:
        """Note why there is no age."""
        self.status = Status.FAILED
        self.warnings.append(reason)


@dataclass
class _Opened:
    """A case on its way: its row, what is known of its result, and its picture for the networks and for the eye.

    ``pixels`` are those of the file; ``distance`` is that of the picture from those in training; ``trusted`` are the
    kinds of masks that others may rely on.
    """

    case: Mapping[str, Any]
    reading: Reading
    pixels: np.ndarray | None = None
    for_network: Prepared | None = None
    for_eye: np.ndarray | None = None
    for_masks: dict[str, Prepared] = field(default_factory=dict)
    distance: float = np.nan
    trusted: set[str] = field(default_factory=set)


class Assessor:
    """A trained network with all that is known of it; it is built once and reads case after case.

    Args:
        model_settings: what the training kept beside the weights, with the preparation it was trained on.
        reliability: of this very network.
        readers: find what is to be masked, on the device that the settings name.
    """

    def __init__(
        self,
        weights: Mapping[str, Tensor],
        model_settings: Mapping[str, Any],
        reliability: Reliability,
        settings: AssessSettings,
        readers: Sequence[MaskReader],
    ) -> None:
        self._device = device_of(settings["accelerator"])
        self._model = build_regressor(dict(weights), dict(model_settings)).to(self._device)
        self._cells = locate_cells(self._model.backbone, self._model.config.input_px)
        self._model_settings, self._settings = model_settings, settings
        self._reliability, self._readers = reliability, readers

    def read(self, cases: pd.DataFrame, radiographs: Radiographs) -> Iterator[list[Reading]]:
        """Read bone ages batch by batch, in the order of the table; a bad case never stops the others.

        Args:
            cases: ``id, sex, chronological_age_months, problem, note``, as
                `boneage_kedro.cohort.tables.read_case_table` gives them.
        """

        def open_one(case: Mapping[str, Any]) -> _Opened:
            return _open(case, radiographs, self._model_settings, self._settings["overlay_px"], self._readers)

        cv2.setNumThreads(1)  # the threads of map_ordered share the cores already
        size, workers = self._settings["batch_size"], self._settings["workers"]
        rows: list[Any] = cases.to_dict("records")
        opened = map_ordered(open_one, rows, workers, ahead=max(size, workers))
        while batch := list(islice(opened, size)):
            self._read_batch([case for case in batch if case.for_network is not None])
            yield [case.reading for case in batch]

    def _read_batch(self, pictured: list[_Opened]) -> None:
        if not pictured:
            return
        _predict(self._model, self._cells, pictured, self._device, views_in(self._model_settings))
        _measure_distance(self._model, pictured, self._device, self._reliability)
        for reader in self._readers:
            _find(reader, pictured)
        for case in pictured:
            _judge(case, self._reliability, self._settings)


def _open(
    case: Mapping[str, Any],
    radiographs: Radiographs,
    model_settings: Mapping[str, Any],
    overlay_px: int,
    readers: Sequence[MaskReader],
) -> _Opened:
    """Read and prepare the picture of a case, or note why that cannot be done."""
    key = case["id"]
    given = case["chronological_age_months"]
    notes = [case["note"]] if case["note"] else []
    reading = Reading(key, case["sex"], chronological_age_months=given, warnings=notes)
    opened = _Opened(case, reading)
    if reason := _refusal(case, radiographs, model_settings["cohort"]):
        reading.fail(reason)
        return opened
    preparation: PreparationSettings = model_settings["preparation"]
    try:
        radiograph = read_radiograph(read_content(radiographs[key]), radiographs[key].name)
        opened.pixels, reading.side = radiograph.pixels, radiograph.laterality
        opened.for_network = prepare(radiograph, preparation)
        opened.for_eye = render(radiograph.pixels, opened.for_network, overlay_px)
        for reader in readers:
            same = reader.preparation == preparation
            opened.for_masks[reader.kind] = (
                opened.for_network if same else prepare(radiograph, reader.preparation)
            )
    except UnreadableRadiograph as error:
        reading.fail(str(error))
        return opened
    reading.warnings += [*opened.for_network.warnings, *_contradictions(radiograph, case)]
    if np.isnan(given) and radiograph.age_months is not None:
        reading.chronological_age_months = radiograph.age_months
        reading.warnings.append("the chronological age is that of the file's header")
    return opened


def _refusal(case: Mapping[str, Any], radiographs: Radiographs, cohort: str) -> str:
    """Why a case cannot be read at all; empty when it can."""
    if case["problem"]:
        return str(case["problem"])
    if case["id"] not in radiographs:
        return f"no radiograph named {case['id']} in {radiographs.name}"
    if files := radiographs.duplicates.get(case["id"]):
        return f"several files have this id, and which one is meant is not guessed: {', '.join(files)}"
    if cohort not in {"all", case["sex"]}:
        return f"the network was trained on sex {cohort} alone; use one for sex {case['sex']}"
    return ""


def _contradictions(radiograph: Radiograph, case: Mapping[str, Any]) -> list[str]:
    """Where the header of a DICOM file tells another story than the table."""
    found = []
    if radiograph.sex and radiograph.sex != case["sex"]:
        found.append(
            f"the file's header says sex {radiograph.sex}, the table {case['sex']}; the table's was used"
        )
    given, told = case["chronological_age_months"], radiograph.age_months
    if told is not None and abs(told - given) > _SAME_AGE_MONTHS:
        found.append(
            f"the file's header says a chronological age of {told:.0f} months, the table {given:.0f}; the table's "
            "was used"
        )
    if radiograph.laterality == "R":
        found.append("the file's header says right hand; bone age is read from the left")
    return found


def _predict(
    model: AgeNetwork, cells: CellGrid, opened: list[_Opened], device: torch.device, views: ViewSettings
) -> None:
    """Ages and maps of a batch; the age is what the map and the rest add up to."""
    samples = AgeSamples(
        pixels=np.stack([case.for_network.image for case in opened if case.for_network]),
        rows=np.arange(len(opened)),
        ids=[case.reading.id for case in opened],
        is_male=np.array([case.reading.sex == Sex.MALE for case in opened]),
        age_months=np.full(len(opened), np.nan),
        input_px=model.config.input_px,
    )
    maps, rests = map_attention(model, samples, len(opened), device, views)
    placed = place_maps(maps, *cells, model.config.input_px)
    for case, own_map, rest, contribution in zip(opened, maps, rests, placed, strict=True):
        case.reading.bone_age_months = float(own_map.mean() + rest)
        if case.for_eye is not None:
            full_colour = FULL_COLOUR_SD * model.config.age_sd_months
            plain = cv2.cvtColor(case.for_eye, cv2.COLOR_GRAY2RGB)
            mapped = overlay_map(case.for_eye, contribution, full_colour)
            case.reading.overlay = np.hstack([plain, mapped])


def _find(reader: MaskReader, opened: list[_Opened]) -> None:
    """Masks of one kind for a batch."""
    prepared = [case.for_masks[reader.kind] for case in opened]
    pixels = [case.pixels for case in opened if case.pixels is not None]
    found = reader.read([case.reading.id for case in opened], prepared, pixels)
    for case, reading in zip(opened, found, strict=True):
        case.reading.masks[reader.kind] = reading.mask
        if reader.kind == "hand":
            case.reading.hand_score = reading.score
        case.reading.warnings += reading.warnings
        if reading.trusted:
            case.trusted.add(reader.kind)


@torch.inference_mode()
def _measure_distance(
    model: AgeNetwork, opened: list[_Opened], device: torch.device, reliability: Reliability
) -> None:
    """How far the pictures of a batch, as they are, lie from those in training."""
    raw = torch.from_numpy(np.stack([case.for_network.image for case in opened if case.for_network]))
    features = pool(model, to_input(raw.to(device), model.config.input_px))
    for case, distance in zip(opened, reliability.familiarity(features).tolist(), strict=True):
        case.distance = distance


def _judge(case: _Opened, reliability: Reliability, settings: AssessSettings) -> None:
    """The interval about the age, and whether the age can be relied on."""
    reading = case.reading
    age, given = reading.bone_age_months, reading.chronological_age_months
    interval = reliability.interval(reading.sex, age)
    reading.lower_months, reading.upper_months = interval
    verdict = reliability.judge(age, interval, given, case.distance)
    reasons = verdict.reasons + _wrist_doubts(case, settings["widest_wrist_cut"])
    if reasons:
        reading.status = Status.INDETERMINATE
    reading.warnings += reasons + verdict.warnings
    difference = age - given  # nan when that age is not given
    if abs(difference) > settings["warn_difference_months"]:
        reading.warnings.append(
            f"{difference:+.0f} months from the chronological age; check picture, sex and age"
        )


def _wrist_doubts(case: _Opened, widest_cut: float) -> list[str]:
    """Why the wrist seems to be missing, by the mask of the hand, if there is one to be trusted."""
    if "hand" not in case.trusted:
        return []
    # outside the exposed field there is nothing, so its edge is the one that may cut a hand
    hand = case.for_masks["hand"].crop.view(case.reading.masks["hand"]) > 0
    return [doubt] if (doubt := wrist_doubt(hand, widest_cut)) else []
