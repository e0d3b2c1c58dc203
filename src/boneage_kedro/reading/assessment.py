"""Reading new cases with a trained network: from files and a table of sexes to ages with a status."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import cv2
import numpy as np
import pandas as pd
import torch
from torch import Tensor

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.evaluation.attention.placing import move_map, place_maps
from boneage_kedro.evaluation.clinical.overlay import overlay_map
from boneage_kedro.imaging.geometry import Pose, canvas_transform, rescale_transform
from boneage_kedro.imaging.parallel import map_ordered
from boneage_kedro.imaging.preparation.prepare import Prepared
from boneage_kedro.imaging.sources import Radiographs
from boneage_kedro.masks.wrist import wrist_doubt
from boneage_kedro.reading.age_pictures import AgePictures, Trained
from boneage_kedro.reading.case_opening import CaseOpener, CasePictures, Reading, Status
from boneage_kedro.reading.mask_readers import MaskReader
from boneage_kedro.reading.reliability import Reliability
from boneage_kedro.reading.settings import AssessSettings
from boneage_kedro.training.ages.attention_maps import AttentionMapper
from boneage_kedro.training.ages.regression import build_regressor, views_in
from boneage_kedro.training.batches import to_input
from boneage_kedro.training.device import device_of

# One scale of colours for all cases, so that a map near the average child's is pale: in standard deviations of the
# ages in training.
FULL_COLOUR_SD = 4.0


@dataclass
class _Case:
    """A case on its way: what is known of its result, its pictures, and what only the verdict needs.

    ``seen`` is the picture that the network reads, ``distance`` how far it lies from those in training; ``trusted``
    are the kinds of masks that others may rely on.
    """

    reading: Reading
    pictures: CasePictures
    seen: Prepared
    distance: float = np.nan
    trusted: set[str] = field(default_factory=set)


class Assessor:
    """A trained network with all that is known of it; it is built once and reads case after case.

    Args:
        model_settings: what the training kept beside the weights, with the preparation it was trained on.
        reliability: of this very network.
        readers: find what is to be masked, on the device that the settings name.
        enhancer: for a network that reads enhanced hands.

    Raises:
        ValueError: as `AgePictures`.
    """

    def __init__(
        self,
        weights: Mapping[str, Tensor],
        model_settings: Mapping[str, Any],
        reliability: Reliability,
        settings: AssessSettings,
        readers: Sequence[MaskReader],
        enhancer: Trained | None = None,
    ) -> None:
        self._device = device_of(settings["accelerator"])
        self._model = build_regressor(dict(weights), dict(model_settings)).to(self._device)
        self._mapper = AttentionMapper(self._model.eval(), views_in(model_settings))
        self._model_settings, self._settings = model_settings, settings
        self._reliability, self._readers = reliability, readers
        kinds = [reader.kind for reader in readers]
        self._pictures = AgePictures(model_settings, kinds, enhancer, self._device)

    def read(self, cases: pd.DataFrame, radiographs: Radiographs) -> Iterator[list[Reading]]:
        """Read bone ages batch by batch, in the order of the table; a bad case never stops the others.

        Args:
            cases: ``id, sex, chronological_age_months, problem, note``, as
                `boneage_kedro.cohort.tables.read_case_table` gives them.
        """
        cv2.setNumThreads(1)  # the threads of map_ordered share the cores already
        settings = self._settings
        rows: list[Any] = cases.to_dict("records")
        opener = CaseOpener(radiographs, self._model_settings, self._readers, settings["overlay_px"])
        size, workers = settings["batch_size"], settings["workers"]
        opened = map_ordered(opener.open, rows, workers, ahead=max(size, workers))
        # no name is held on to a batch: its pictures must go before the next ones are there
        while readings := self._read_batch(list(islice(opened, size))):
            yield readings

    def _read_batch(self, opened: Sequence[tuple[Reading, CasePictures | None]]) -> list[Reading]:
        cases = [
            _Case(reading, pictures, pictures.for_network)
            for reading, pictures in opened
            if pictures is not None
        ]
        if cases:
            for reader in self._readers:
                _find(reader, cases)
            self._choose_pictures(cases)
            self._read_ages(cases)
        for case in cases:
            _judge(case, self._reliability, self._settings)
        return [reading for reading, _ in opened]

    def _choose_pictures(self, cases: Sequence[_Case]) -> None:
        """Cut the pictures to their hands, if the network reads these."""
        made = self._pictures.of(
            [case.reading.id for case in cases],
            [case.seen for case in cases],
            [case.pictures.pixels for case in cases],
            [case.reading.masks["hand"] if "hand" in case.trusted else None for case in cases],
        )
        for case, picture in zip(cases, made, strict=True):
            case.seen = picture

    def _read_ages(self, cases: Sequence[_Case]) -> None:
        """Ages and maps, and how far the pictures lie from those in training."""
        config = self._model.config
        raw = torch.from_numpy(np.stack([case.seen.image for case in cases]))
        is_male = torch.tensor([case.reading.sex == Sex.MALE for case in cases], device=self._device)
        images = to_input(raw.to(self._device), config.input_px)
        with torch.inference_mode():
            seen = self._mapper(images, is_male)
        placed = place_maps(seen.maps.cpu().double().numpy(), config.input_px)
        distances = self._reliability.familiarity(seen.features.float().cpu()).tolist()
        full_colour = FULL_COLOUR_SD * config.age_sd_months
        for case, age, contribution, distance in zip(
            cases, seen.ages.tolist(), placed, distances, strict=True
        ):
            case.reading.bone_age_months, case.distance = age, distance
            case.reading.overlay = _draw(case, contribution, full_colour)


def _draw(case: _Case, contribution: np.ndarray, full_colour: float) -> np.ndarray:
    """The whole picture beside its activation map, (P, 2P, 3)."""
    picture, whole = case.pictures.for_eye, case.pictures.for_network
    if case.seen is not whole:
        seen, pose = case.seen, Pose(whole.mirrored, whole.quarter_turns)
        own = rescale_transform(seen.transform, len(seen.image), len(contribution))
        other = canvas_transform(whole.crop, pose, len(picture))
        contribution = move_map(contribution, seen.crop, own, other, len(picture))
    plain = cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)
    return np.hstack([plain, overlay_map(picture, contribution, full_colour)])


def _find(reader: MaskReader, cases: Sequence[_Case]) -> None:
    """Masks of one kind for a batch."""
    ids = [case.reading.id for case in cases]
    prepared = [case.pictures.for_masks[reader.kind] for case in cases]
    found = reader.read(ids, prepared, [case.pictures.pixels for case in cases])
    for case, made in zip(cases, found, strict=True):
        case.reading.masks[reader.kind] = made.mask
        case.reading.scores[reader.kind] = made.score
        case.reading.warnings += made.warnings
        if made.trusted:
            case.trusted.add(reader.kind)


def _judge(case: _Case, reliability: Reliability, settings: AssessSettings) -> None:
    """The interval about the age, and whether the age can be relied on."""
    reading = case.reading
    age, given = reading.bone_age_months, reading.chronological_age_months
    interval = reliability.interval(reading.sex, age)
    reading.lower_months, reading.upper_months = interval
    verdict = reliability.judge(age, interval, given, case.distance)
    reasons = [*reading.doubts, *verdict.reasons, *_hand_doubts(case, settings["widest_wrist_cut"])]
    remarks = list(verdict.warnings)
    difference = age - given  # nan when that age is not given
    far = f"{difference:+.0f} months from the chronological age; check picture, sex and age"
    if abs(difference) > settings["implausible_difference_months"]:
        reasons.append(f"{far} (is it in months?)")
    elif abs(difference) > settings["warn_difference_months"]:
        remarks.append(far)
    if reasons:
        reading.status = Status.INDETERMINATE
    reading.warnings = [*reasons, *reading.warnings, *remarks]  # what the status comes from stands first


def _hand_doubts(case: _Case, widest_cut: float) -> list[str]:
    """Why hand or wrist seem to be missing, by the mask of the hand; of the wrist, if it is to be trusted."""
    if "hand" in case.reading.masks and not case.reading.masks["hand"].any():
        return ["no hand was found in the picture"]
    if "hand" not in case.trusted:
        return []
    # outside the exposed field there is nothing, so its edge is the one that may cut a hand
    hand = case.pictures.for_masks["hand"].crop.view(case.reading.masks["hand"]) > 0
    return [doubt] if (doubt := wrist_doubt(hand, widest_cut)) else []
