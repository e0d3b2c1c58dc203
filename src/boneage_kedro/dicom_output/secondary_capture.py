"""The radiograph beside its activation map as a DICOM picture, for viewers that show no Structured Report."""

from datetime import datetime
from typing import Literal

import cv2
import numpy as np
from highdicom import CoordinateSystemNames, PhotometricInterpretationValues
from highdicom.sc import SCImage
from pydicom import Dataset

from boneage_kedro.dicom_output.instances import new_instance
from boneage_kedro.evaluation.clinical.case_result import RESEARCH_USE, CaseResult
from boneage_kedro.evaluation.clinical.interpretation import age_text

_SERIES_NUMBER = 9902
_LINE_PX, _MARGIN_PX = 26, 8
_FONT, _FONT_SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.55
_WHITE = (255, 255, 255)
_ANY_ORIENTATION = ("L", "F")  # highdicom wants one to start with


def secondary_capture(
    source: Dataset,
    result: CaseResult,
    picture: np.ndarray,
    side: Literal["L", "R"] | None,
    made_at: datetime,
) -> Dataset:
    """Build the picture (Secondary Capture Image) in a new series of the same study.

    Under it stand bone age, interval and that it is for research use; nothing on it tells who the patient is.

    Args:
        source: from `boneage_kedro.dicom_output.source.read_source`.
        picture: (H, W, 3) uint8 RGB.
        side: of the body, as the header of the source states it.
    """
    instance = SCImage.from_ref_dataset(
        source,
        pixel_array=_captioned(picture, _caption(result)),
        photometric_interpretation=PhotometricInterpretationValues.RGB,
        bits_allocated=8,
        coordinate_system=CoordinateSystemNames.PATIENT,
        patient_orientation=_ANY_ORIENTATION,
        laterality=side,
        **new_instance("picture", _SERIES_NUMBER, source, result, made_at),
    )
    instance.copy_patient_and_study_information(source)  # as the report does by itself
    instance.PatientOrientation = []  # the hand has been turned, and there are two of it
    # of the source's pixels, which are in this picture
    if (stated := source.get("BurnedInAnnotation")) in ("YES", "NO"):
        instance.BurnedInAnnotation = stated
    instance.DerivationDescription = "Activation map of a bone age over the radiograph; for research use only"
    instance.SourceImageSequence = [_reference(source)]
    return instance


def _reference(source: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = source.SOPClassUID
    item.ReferencedSOPInstanceUID = source.SOPInstanceUID
    return item


def _caption(result: CaseResult) -> list[str]:
    lines = [f"Bone age {age_text(result.bone_age_months)} ({result.bone_age_months:.1f} months)"]
    if np.isfinite([result.lower_months, result.upper_months]).all():
        lines.append(
            f"{result.coverage:.0%} interval {result.lower_months:.1f} to {result.upper_months:.1f} months"
        )
    if result.status != "ok":
        lines.append("Not to be relied on")
    return [*lines, RESEARCH_USE]


def _captioned(picture: np.ndarray, lines: list[str]) -> np.ndarray:
    """The picture over a black strip with white lines, each made small enough for the width."""
    strip = np.zeros((_LINE_PX * len(lines) + _MARGIN_PX, picture.shape[1], 3), np.uint8)
    for number, line in enumerate(lines, 1):
        (width, _), _ = cv2.getTextSize(line, _FONT, _FONT_SCALE, 1)
        scale = _FONT_SCALE * min(1.0, (picture.shape[1] - 2 * _MARGIN_PX) / width)
        place = (_MARGIN_PX, _LINE_PX * number - _MARGIN_PX)
        cv2.putText(strip, line, place, _FONT, scale, _WHITE, 1, cv2.LINE_AA)
    return np.vstack([picture, strip])
