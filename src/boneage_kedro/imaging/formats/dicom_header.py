"""What a DICOM header says about the child and the hand; anything that is missing or unclear is None."""

import re
from datetime import date, datetime
from typing import Literal

from pydicom import Dataset

from boneage_kedro.cohort.sex import Sex

_DAYS_PER_MONTH = 365.25 / 12
_MONTHS_PER_UNIT = {"D": 1 / _DAYS_PER_MONTH, "W": 7 / _DAYS_PER_MONTH, "M": 1.0, "Y": 12.0}
_AGE = re.compile(r"([0-9]{1,3})([DWMY])")
_DATE = re.compile(r"[0-9]{8}")  # strptime alone would take 201011 for the first of January
_OLDEST_MONTHS = 1200.0  # born earlier, the date was blanked out with one like 19000101


def laterality(header: Dataset) -> Literal["L", "R"] | None:
    """Side of the body: of this image (0020,0062) before that of the series (0020,0060)."""
    for keyword in ("ImageLaterality", "Laterality"):
        side = _text(header, keyword)
        if side == "L":
            return "L"
        if side == "R":
            return "R"
        if side:  # both or unpaired; the series cannot know better
            return None
    return None


def sex(header: Dataset) -> Sex | None:
    """Sex of the patient; "other" and nonsense count as unknown."""
    letter = _text(header, "PatientSex")
    return Sex(letter) if letter in tuple(Sex) else None


def age_months(header: Dataset) -> float | None:
    """Age at the time of the study in months.

    An age string (012Y, 036M, 012W, 020D) is cut to whole units, up to a year too low, so the dates of birth
    and study come before it, unless they contradict it, as they do where a birth date was blanked out. Dates that
    are none, in the wrong order or more than 100 years apart count as missing.
    """
    between = _months_between(_date(header, "PatientBirthDate"), _date(header, "StudyDate"))
    match = _AGE.fullmatch(_text(header, "PatientAge"))
    if match is None:
        return between
    unit = _MONTHS_PER_UNIT[match[2]]
    stated = int(match[1]) * unit
    return between if between is not None and abs(between - stated) <= unit else stated


def polarity_is_consistent(header: Dataset) -> bool:
    """Whether black and white agree with the sense in which stored values follow the X-ray intensity.

    (0028,1041) is -1 where a high stored value means little radiation behind the hand, so bone. It is
    optional; without it the photometric interpretation stands alone and is believed.
    """
    sign = header.get("PixelIntensityRelationshipSign")
    stored_bone_is_high = header.PhotometricInterpretation == "MONOCHROME2"
    return not sign or (sign < 0) == stored_bone_is_high


def _months_between(birth: date | None, study: date | None) -> float | None:
    if birth is None or study is None or study < birth:
        return None
    months = (study - birth).days / _DAYS_PER_MONTH
    return months if months <= _OLDEST_MONTHS else None


def _date(header: Dataset, keyword: str) -> date | None:
    text = _text(header, keyword)
    try:
        return datetime.strptime(text, "%Y%m%d").date() if _DATE.fullmatch(text) else None
    except ValueError:  # as of the 31st of February
        return None


def _text(header: Dataset, keyword: str) -> str:
    return str(header.get(keyword) or "").strip().upper()
