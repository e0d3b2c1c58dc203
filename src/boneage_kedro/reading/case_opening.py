"""Opening a case that is to be read: from its row and its file to pictures for the networks and for the eye."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

import numpy as np

from boneage_kedro.imaging.formats.dicom import looks_like_dicom
from boneage_kedro.imaging.ingest import read_content
from boneage_kedro.imaging.preparation.prepare import PreparationSettings, Prepared, prepare, render
from boneage_kedro.imaging.radiograph import Radiograph, UnreadableRadiograph
from boneage_kedro.imaging.reading import read_radiograph
from boneage_kedro.imaging.sources import Radiographs
from boneage_kedro.reading.mask_readers import MaskReader

_SAME_AGE_MONTHS = 12  # a header may give whole years


class Status(StrEnum):
    """What a reading is worth: an age; an age not to rely on, with the reason; or a reason alone."""

    OK = "ok"
    INDETERMINATE = "indeterminate"
    FAILED = "failed"


@dataclass
class Reading:
    """The result of one case; from ``lower_months`` to ``upper_months`` is the interval about its age.

    The chronological age is the one given, else that of the file's header. Numbers are nan where they are not known.
    ``doubts`` speak against relying on any age of this file. ``side`` is the hand's by the header, ``dicom`` the
    whole file if it came as DICOM, which results refer to. ``overlay`` is (P, 2P, 3) uint8 RGB, the picture beside
    its activation map; ``masks`` are (H, W) uint8 class codes at the size of the file, and ``scores`` say how well
    the networks that made them agree (see `MaskReading`), both by kind.
    """

    id: str
    sex: str
    bone_age_months: float = np.nan
    lower_months: float = np.nan
    upper_months: float = np.nan
    chronological_age_months: float = np.nan
    side: Literal["L", "R"] | None = None
    status: Status = Status.OK
    warnings: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    dicom: bytes | None = field(default=None, repr=False)  # names the patient
    overlay: np.ndarray | None = None
    masks: dict[str, np.ndarray] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)

    def fail(self, reason: str) -> None:
        """Note why there is no age."""
        self.status = Status.FAILED
        self.warnings.append(reason)


@dataclass(frozen=True)
class CasePictures:
    """One radiograph in all forms that are needed of it.

    Attributes:
        pixels: (H, W), those of the file.
        for_network: of the network that reads the age, whole.
        for_masks: of those that mask, by kind.
        for_eye: as for the network, at the size of overlays.
    """

    pixels: np.ndarray
    for_network: Prepared
    for_masks: Mapping[str, Prepared]
    for_eye: np.ndarray


@dataclass(frozen=True)
class CaseOpener:
    """Opens the cases of one place for a network and the `readers` of masks beside it; threads may share it.

    Attributes:
        model_settings: of the network: ``cohort`` and ``preparation``.
        overlay_px: side of the picture for the eye.
    """

    radiographs: Radiographs
    model_settings: Mapping[str, Any]
    readers: Sequence[MaskReader]
    overlay_px: int

    def open(self, case: Mapping[str, Any]) -> tuple[Reading, CasePictures | None]:
        """What is known of a case before a network sees it, and its pictures; none if it cannot be read."""
        notes = [case["note"]] if case["note"] else []
        given = case["chronological_age_months"]
        reading = Reading(case["id"], case["sex"], chronological_age_months=given, warnings=notes)
        if reason := self._refusal(case):
            reading.fail(reason)
            return reading, None
        source = self.radiographs[case["id"]]
        try:
            content = read_content(source)
            radiograph = read_radiograph(content, source.name)
        except UnreadableRadiograph as error:
            reading.fail(str(error))
            return reading, None
        pictures = self._prepare(radiograph)
        reading.doubts += pictures.for_network.doubts
        reading.warnings += pictures.for_network.remarks
        _take_header(reading, radiograph)
        reading.dicom = content if looks_like_dicom(content) else None
        return reading, pictures

    def _refusal(self, case: Mapping[str, Any]) -> str:
        """Why a case cannot be read at all; empty when it can."""
        cohort, radiographs = self.model_settings["cohort"], self.radiographs
        if case["problem"]:
            return str(case["problem"])
        if case["id"] not in radiographs:
            near = next((key for key in radiographs if key.casefold() == case["id"].casefold()), None)
            hint = f"; is {near} meant?" if near else ""
            return f"no radiograph named {case['id']} in {radiographs.name}{hint}"
        if files := radiographs.duplicates.get(case["id"]):
            return f"several files have this id, and which one is meant is not guessed: {', '.join(files)}"
        if cohort not in {"all", case["sex"]}:
            return f"the network was trained on sex {cohort} alone; use one for sex {case['sex']}"
        return ""

    def _prepare(self, radiograph: Radiograph) -> CasePictures:
        preparation: PreparationSettings = self.model_settings["preparation"]
        for_network = prepare(radiograph, preparation)
        for_masks = {
            reader.kind: for_network
            if reader.preparation == preparation
            else prepare(radiograph, reader.preparation)
            for reader in self.readers
        }
        for_eye = render(radiograph.pixels, for_network, self.overlay_px)
        return CasePictures(radiograph.pixels, for_network, for_masks, for_eye)


def _take_header(reading: Reading, radiograph: Radiograph) -> None:
    """Add what the header of a DICOM file tells, and where it tells another story than what was given."""
    reading.side = radiograph.laterality
    if radiograph.sex and radiograph.sex != reading.sex:
        reading.doubts.append(
            f"the file's header says sex {radiograph.sex}, but {reading.sex} was given and used: it may be another "
            "child's file"
        )
    given, told = reading.chronological_age_months, radiograph.age_months
    if told is not None and abs(told - given) > _SAME_AGE_MONTHS:
        reading.warnings.append(
            f"the file's header says a chronological age of {told:.0f} months, but {given:.0f} was given and used"
        )
    if radiograph.laterality == "R":
        reading.warnings.append("the file's header says right hand; bone age is read from the left")
    if told is not None and np.isnan(given):
        reading.chronological_age_months = told
        reading.warnings.append("the chronological age is that of the file's header")
