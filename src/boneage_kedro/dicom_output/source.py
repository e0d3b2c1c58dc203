"""The header of a radiograph as results refer to it: who, which study, which picture."""

from pydicom import Dataset, dcmread
from pydicom.config import RAISE
from pydicom.uid import UID
from pydicom.valuerep import DA, DT, TM, validate_value

from boneage_kedro.imaging.formats.dicom import BoundedFile, looks_like_dicom

UTF8 = "ISO_IR 192"  # holds a name in any script
_REFERRED_TO = ("StudyInstanceUID", "SeriesInstanceUID", "SOPClassUID", "SOPInstanceUID")
_MAY_BE_EMPTY = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
)
_DATES = {"DA": DA, "TM": TM, "DT": DT}
_SEXES = ("F", "M", "O")


class NothingToReferTo(ValueError):
    """A file that results as DICOM cannot name as their source; it tells nothing of the patient."""


def read_source(content: bytes) -> Dataset:
    """Read the header of a DICOM file for results to refer to.

    Text is decoded, and what is not as DICOM asks is made empty, so that the results are as it asks even where their
    source is not.

    Raises:
        NothingToReferTo: not DICOM, damaged, or without the identifiers of study, series and picture.
    """
    if not looks_like_dicom(content):
        raise NothingToReferTo("the radiograph is no DICOM file, so there is no study to add results to")
    try:
        header = dcmread(BoundedFile(content), stop_before_pixels=True, force=True)
        header.decode()
        _blank_invalid(header)
        missing = [keyword for keyword in _REFERRED_TO if not UID(header.get(keyword) or "").is_valid]
    except Exception:  # pydicom raises whatever it stumbles over, in words that may name the patient
        raise NothingToReferTo("the DICOM header is damaged, so results cannot refer to it") from None
    if missing:
        raise NothingToReferTo(
            f"the DICOM file has no valid {' and '.join(missing)}, so results cannot refer to it; "
            "export it again with its identifiers"
        )
    for keyword in _MAY_BE_EMPTY:
        if keyword not in header or header[keyword].VM != 1:  # several names are none
            setattr(header, keyword, "")
    header.Modality = "OT"  # highdicom wants one of a picture, and copies none
    header.SpecificCharacterSet = UTF8
    return header


def _blank_invalid(header: Dataset) -> None:
    for element in header:
        values = element.value if element.VM > 1 else [element.value]
        if element.VR != "SQ" and not all(_is_valid(element.VR, value) for value in values):
            element.value = None
    if header.get("PatientSex") not in (*_SEXES, "", None):
        header.PatientSex = ""


def _is_valid(vr: str, value: object) -> bool:
    try:
        validate_value(vr, value, RAISE)
        if vr in _DATES and value:
            _DATES[vr](value)  # the 31st of February has the right form
    except ValueError:
        return False
    return True
