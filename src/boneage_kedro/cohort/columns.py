"""What the columns of published label tables are called, and how their cells are read as text."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from boneage_kedro.cohort.sex import Sex, parse_male_flag, parse_sex

RADIOGRAPH_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".dcm", ".dicom"})

# Names as published; case, spaces and punctuation do not matter. Between them they cover the tables of
#   Kaggle, RSNA training, Deeplasia   id, boneage, male
#   RSNA validation                    Image ID, male, Bone Age (months)
#   RSNA test                          Case ID, Ground truth bone age (months), Sex
#   RHPE                               ID, Male, Boneage, Chronological
#   Digital Hand Atlas                 image_ID, dir, patient_ID, sex, bone_age
#   this project                       id, patient_id, sex, bone_age_months, chronological_age_months, race
COLUMN_NAMES: dict[str, tuple[str, ...]] = {
    "id": ("id", "Image ID", "Case ID"),
    "patient_id": ("patient_id",),
    "sex": ("sex", "male"),
    "bone_age_months": (
        "bone_age_months",
        "boneage",
        "Bone Age (months)",
        "Ground truth bone age (months)",
    ),
    "chronological_age_months": ("chronological_age_months", "Chronological"),
    "race": ("race",),
}
LONGEST_ID_BYTES = 200
"""In UTF-8. File systems allow 255, of which suffixes and words behind the id need some."""
_SEX_PARSERS: dict[str, Callable[[str], Sex]] = {"sex": parse_sex, "male": parse_male_flag}


def case_id(name: str) -> str:
    """The id of a case from a table's cell or a file's name, so that both give the same.

    Folders and the suffix of a radiograph are cut off (``a/1377.png`` is ``1377``), and so is the ``.0`` that
    spreadsheets add to whole numbers; leading zeros stay. Letters with accents are one character each, which a Mac
    may spell as two. Nothing in an id can lead out of a folder.
    """
    name = re.split(r"[/\\]", unicodedata.normalize("NFC", name).strip())[-1]
    stem, dot, suffix = name.rpartition(".")
    return whole_number(stem if f"{dot}{suffix}".lower() in RADIOGRAPH_SUFFIXES else name)


def names_files(identifier: str) -> bool:
    """Whether files can be named by an id, with some words behind it."""
    return 0 < len(identifier.encode()) <= LONGEST_ID_BYTES and "\0" not in identifier


def whole_number(text: str) -> str:
    """Cut the ``.0`` off a whole number; any other text stays as it is."""
    return re.sub(r"^(\d+)\.0*$", r"\1", text)


def read_columns(
    raw: pd.DataFrame, required: Sequence[str], optional: Sequence[str]
) -> tuple[pd.DataFrame, Callable[[str], Sex]]:
    """Pick the known columns of a table and name them as this project does.

    Args:
        raw: a table as it was read.
        required, optional: keys of `COLUMN_NAMES`; the sex is always required.

    Returns:
        The cells as stripped text, columns named by the keys of `COLUMN_NAMES`, index ``row`` counted as a
        spreadsheet does (the header is row 1); and the parser that fits the column of the sex.

    Raises:
        ValueError: a required column is missing, or two columns could be the same one.
    """
    found = {role: _find(raw, role) for role in (*required, *optional)}
    missing = [role for role in required if found[role] is None]
    if missing:
        known = "; ".join(f"{role}: {', '.join(COLUMN_NAMES[role])}" for role in missing)
        raise ValueError(
            f"the table has no column for {' and '.join(missing)}. Its columns are {list(map(str, raw.columns))}; "
            f"known names are {known}. Rename the columns, and separate them by commas"
        )
    present = {role: column for role, column in found.items() if column is not None}
    text = pd.DataFrame({role: raw[column].map(_cell_text) for role, column in present.items()}, dtype=str)
    text.index = pd.RangeIndex(2, len(raw) + 2, name="row")
    return text, _SEX_PARSERS[_fold(present["sex"])]


def unused_columns(raw: pd.DataFrame, roles: Sequence[str]) -> list[str]:
    """Columns of a table that are none of these keys of `COLUMN_NAMES`."""
    used = {_find(raw, role) for role in roles}
    return [str(column) for column in raw.columns if column not in used]


def _find(raw: pd.DataFrame, role: str) -> str | None:
    names = {_fold(name) for name in COLUMN_NAMES[role]}
    matches = [column for column in raw.columns if _fold(column) in names]
    if len(matches) > 1:
        raise ValueError(f"the columns {matches} could each be the {role}; keep one of them")
    return matches[0] if matches else None


def _fold(name: str) -> str:
    return re.sub(r"[\W_]+", "", str(name).lower())


def _cell_text(cell: Any) -> str:
    return "" if pd.isna(cell) else str(cell).strip()
