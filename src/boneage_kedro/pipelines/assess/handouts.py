"""What is handed out of a reading beside its row: a page to print, and for DICOM files results as DICOM."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from boneage_kedro.evaluation.clinical.overlay import as_png
from boneage_kedro.evaluation.clinical.patient_report import render_patient_report

if TYPE_CHECKING:
    from boneage_kedro.evaluation.clinical.case_result import CaseResult
    from boneage_kedro.reading.case_opening import Reading

logger = logging.getLogger(__name__)


def draw_pictures(readings: list[Reading]) -> dict[str, bytes]:
    """Each radiograph that could be read beside its map, as the content of a PNG file, by id."""
    return {reading.id: as_png(reading.overlay) for reading in readings if reading.overlay is not None}


def write_pages(
    readings: list[Reading], results: list[CaseResult], pictures: Mapping[str, bytes]
) -> dict[str, str]:
    """A page of HTML for each case that has an id, by it; a case that failed has one with the reason."""
    today = datetime.now(UTC).date()
    return {
        reading.id: render_patient_report(result, pictures.get(reading.id), reading.side, today)
        for reading, result in zip(readings, results, strict=True)
        if reading.id
    }


def write_dicom(readings: list[Reading], results: list[CaseResult]) -> dict[str, bytes]:
    """Structured Report ``<id>_report`` and secondary capture ``<id>_picture`` of each DICOM file that has an age."""
    files: dict[str, bytes] = {}
    for reading, result in zip(readings, results, strict=True):
        if reading.dicom is not None and reading.overlay is not None:
            made = _dicom_of(reading.dicom, result, reading.overlay)
            files |= {f"{reading.id}_{name}": data for name, data in made.items()}
    return files


def _dicom_of(source: bytes, result: CaseResult, picture: np.ndarray) -> Mapping[str, bytes]:
    from boneage_kedro.dicom_output.results import dicom_results  # highdicom takes long to import
    from boneage_kedro.dicom_output.source import NothingToReferTo

    try:
        return dicom_results(source, result, picture, datetime.now(UTC))
    except NothingToReferTo as error:
        logger.warning("A DICOM file gets no results as DICOM: %s", error)
        return {}
