"""What is handed out of a reading beside its row: a page to print, and for DICOM files results as DICOM."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from PIL import Image

from boneage_kedro.evaluation.patient_report import render_patient_report

if TYPE_CHECKING:
    from boneage_kedro.evaluation.case_result import CaseResult
    from boneage_kedro.training.case_opening import Reading

logger = logging.getLogger(__name__)


def write_pages(readings: list[Reading], results: list[CaseResult]) -> dict[str, str]:
    """A page of HTML for each case, by id; a case that failed has one with the reason."""
    today = datetime.now(UTC).date()
    return {
        reading.id: render_patient_report(result, picture_of(reading), reading.side, today)
        for reading, result in zip(readings, results, strict=True)
    }


def write_dicom(readings: list[Reading], results: list[CaseResult]) -> dict[str, bytes]:
    """Structured Report ``<id>_report`` and secondary capture ``<id>_picture`` of each DICOM file that has an age."""
    from boneage_kedro.dicom_output.results import dicom_results
    from boneage_kedro.dicom_output.source import NothingToReferTo

    files: dict[str, bytes] = {}
    for reading, result in zip(readings, results, strict=True):
        if reading.dicom is None or reading.overlay is None:
            continue
        try:
            made = dicom_results(reading.dicom, result, reading.overlay, datetime.now(UTC))
        except NothingToReferTo as error:
            logger.warning("A DICOM file gets no results as DICOM: %s", error)
            continue
        files |= {f"{reading.id}_{name}": data for name, data in made.items()}
    return files


def picture_of(reading: Reading) -> Image.Image | None:
    """The radiograph beside its map, if it could be read."""
    return None if reading.overlay is None else Image.fromarray(reading.overlay)
