"""What the objects made here have in common: identifiers, the maker, and how they become files."""

import logging
from datetime import datetime
from io import BytesIO
from typing import Any

from pydicom import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from boneage_kedro import __version__
from boneage_kedro.dicom_output.source import UTF8
from boneage_kedro.evaluation.clinical.case_result import CaseResult

MAKER = "boneage_kedro"

# highdicom logs the names of patients that are not as DICOM asks.
logging.getLogger("highdicom").setLevel(logging.CRITICAL)


def derived_uid(*parts: str) -> UID:
    """A UID that the same parts give again, and no others."""
    return generate_uid(entropy_srcs=[MAKER, *parts])


def new_instance(
    kind: str, number: int, source: Dataset, result: CaseResult, made_at: datetime
) -> dict[str, Any]:
    """What an object made from a reading says of itself, as highdicom takes it: a series of its own in the study.

    Args:
        kind: in a word, different for each object made of one reading.
        number: of the series in the study.
    """
    parts = kind, str(source.SOPInstanceUID), repr(result.row()), made_at.isoformat()
    return {
        "series_instance_uid": derived_uid("series", *parts),
        "sop_instance_uid": derived_uid("instance", *parts),
        "series_number": number,
        "instance_number": 1,
        "series_description": f"Bone age {kind} (research use only)",
        "manufacturer": MAKER,
        "manufacturer_model_name": "Bone age of the hand",
        "software_versions": __version__,
        "device_serial_number": result.model_run_id or "not known",
        "content_date": made_at.date(),
        "content_time": made_at.time(),
        "specific_character_set": UTF8,
        "transfer_syntax_uid": ExplicitVRLittleEndian,
    }


def file_bytes(instance: Dataset) -> bytes:
    """The object as a DICOM file."""
    buffer = BytesIO()
    instance.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
