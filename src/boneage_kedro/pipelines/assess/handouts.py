"""What is handed out of a reading beside its row: a page to print, and for DICOM files results as DICOM."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from boneage_kedro.cohort.columns import names_files
from boneage_kedro.evaluation.clinical.overlay import as_png
from boneage_kedro.evaluation.clinical.patient_report import render_patient_report

if TYPE_CHECKING:
    from boneage_kedro.evaluation.clinical.case_result import CaseResult
    from boneage_kedro.reading.case_opening import Reading


def draw_pictures(readings: list[Reading]) -> dict[str, bytes]:
    """Each radiograph that could be read beside its map, as the content of a PNG file, by id."""
    return {reading.id: as_png(reading.overlay) for reading in readings if reading.overlay is not None}


def write_pages(
    readings: list[Reading], results: list[CaseResult], pictures: Mapping[str, bytes]
) -> dict[str, str]:
    """A page of HTML for each case whose id can name a file, by it; a case that failed has one with the reason."""
    today = datetime.now(UTC).date()
    return {
        reading.id: render_patient_report(result, pictures.get(reading.id), reading.side, today)
        for reading, result in zip(readings, results, strict=True)
        if names_files(reading.id)
    }


def note_unreferable(readings: list[Reading]) -> None:
    """Add to the warnings of a DICOM file with an age why no results as DICOM can refer to it, if so."""
    from boneage_kedro.dicom_output.source import NothingToReferTo, read_source
    from boneage_kedro.imaging.formats.dicom import held_back_warnings

    for reading in readings:
        if reading.dicom is not None and reading.overlay is not None:
            try:
                with held_back_warnings():
                    read_source(reading.dicom)
            except NothingToReferTo as error:
                reading.warnings.append(str(error))
                reading.dicom = None


def write_dicom(readings: list[Reading], results: list[CaseResult]) -> dict[str, bytes]:
    """Structured Report ``<id>_report`` and secondary capture ``<id>_picture`` of each DICOM file that has an age.

    Those that `note_unreferable` has found get none.
    """
    files: dict[str, bytes] = {}
    for reading, result in zip(readings, results, strict=True):
        if reading.dicom is not None and reading.overlay is not None:
            from boneage_kedro.dicom_output.results import dicom_results  # highdicom takes long to import

            made = dicom_results(reading.dicom, result, reading.overlay, datetime.now(UTC))
            files |= {f"{reading.id}_{name}": data for name, data in made.items()}
    return files
