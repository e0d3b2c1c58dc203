"""What to send back to the archive for one radiograph."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np

from boneage_kedro.dicom_output.instances import file_bytes
from boneage_kedro.dicom_output.secondary_capture import secondary_capture
from boneage_kedro.dicom_output.source import read_source
from boneage_kedro.dicom_output.structured_report import structured_report
from boneage_kedro.evaluation.clinical.case_result import CaseResult
from boneage_kedro.imaging.formats.dicom import held_back_warnings
from boneage_kedro.imaging.formats.dicom_header import laterality


def dicom_results(
    content: bytes, result: CaseResult, picture: np.ndarray, made_at: datetime
) -> Mapping[str, bytes]:
    """The reading of a radiograph as DICOM files: ``report`` and ``picture``.

    Who the patient is and which study it was are copied from the radiograph, and nowhere else: nothing is logged, and
    no error names them.

    Args:
        content: of the radiograph's file.
        picture: (H, W, 3) uint8 RGB, the radiograph beside its activation map.
        made_at: goes into both, and with the reading decides their identifiers.

    Raises:
        NothingToReferTo: the radiograph is not DICOM, or lacks identifiers.
        ValueError: the case has no bone age.
    """
    with held_back_warnings():
        source = read_source(content)
        side = laterality(source)
        report = structured_report(source, result, side, made_at)
        shown = secondary_capture(source, result, picture, side, made_at)
        return {"report": file_bytes(report), "picture": file_bytes(shown)}
