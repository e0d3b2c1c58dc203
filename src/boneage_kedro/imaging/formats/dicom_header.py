"""What a DICOM header says about the child and the hand; anything that is missing or unclear is None."""

import re
from typing import Literal

from pydicom import Dataset

from boneage_kedro.cohort.sex import Sex

_DAYS_PER_MONTH = 365.25 / 12
_MONTHS_PER_UNIT = {"D": 1 / _DAYS_PER_MONTH, "W": 7 / _DAYS_PER_MONTH, "M": 1.0, "Y": 12.0}
_AGE = re.compile(r"(\d{1,3})([DWMY])")


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
    """Age at the time of the study in months, from an age string such as 012Y, 036M, 012W or 020D."""
    match = _AGE.fullmatch(_text(header, "PatientAge"))
    return int(match[1]) * _MONTHS_PER_UNIT[match[2]] if match else None


def _text(header: Dataset, keyword: str) -> str:
    return str(header.get(keyword) or "").strip().upper()
