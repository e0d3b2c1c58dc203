"""What can be wrong with the rows of a table, one check a function.

Rows come as a frame indexed by their place in the table, with the columns ``id``, ``patient_id``, ``sex``,
``bone_age_months`` and ``chronological_age_months``, and ``<column>_problem`` for those that are parsed: a message
where the cell cannot be read, else empty. Each check returns its findings under the index of the rows concerned, so
that those rows can be dropped by it.
"""

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from boneage_kedro.cohort.columns import LONGEST_ID_BYTES, names_files
from boneage_kedro.cohort.findings import Finding, finding_rows


def missing_ids(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows without an id, named by their place."""
    messages = "row " + rows.index.astype(str).to_series(rows.index) + " has no id"
    return _flag(rows, Finding.MISSING_ID, messages.where(rows["id"] == "", ""))


def unusable_ids(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose id can name no file."""
    wrong = ~rows["id"].map(names_files).astype(bool) & (rows["id"] != "")
    message = f"files are named by the id, which must have {LONGEST_ID_BYTES} bytes at most; shorten it"
    return _flag(rows, Finding.UNUSABLE_ID, _where(wrong, message))


def contradictory_ids(rows: pd.DataFrame) -> pd.DataFrame:
    """All rows of the ids whose rows differ, saying in what."""
    by_id = rows[rows["id"].duplicated(keep=False) & (rows["id"] != "")].groupby("id")
    differ = by_id.nunique(dropna=False) > 1
    messages = {}
    for name, differs in differ[differ.any(axis=1)].iterrows():
        columns = dict.fromkeys(column.removesuffix("_problem") for column in differ.columns[differs])
        places = ", ".join(map(str, by_id.groups[name]))
        messages[str(name)] = f"rows {places} differ in {', '.join(columns)}; none is used"
    return _flag(rows, Finding.DUPLICATE_ID, look_up(rows["id"], messages))


def repeated_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows that say again all that an earlier row says; those without an id are no repetition."""
    repeated = rows.duplicated() & (rows["id"] != "")
    return _flag(rows, Finding.DUPLICATE_ID, _where(repeated, "the same row again; used once"))


def missing_patients(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with an id that do not say whose radiograph it is."""
    missing = (rows["patient_id"] == "") & (rows["id"] != "")
    return _flag(rows, Finding.MISSING_PATIENT_ID, _where(missing, "no patient id"))


def unknown_sexes(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose sex is missing or not a known word."""
    return _flag(rows, Finding.UNKNOWN_SEX, rows["sex_problem"])


def patients_of_two_sexes(rows: pd.DataFrame) -> pd.DataFrame:
    """All rows of the patients who are a girl in one row and a boy in another."""
    known = rows[(rows["sex"] != "") & (rows["patient_id"] != "")]
    sexes = known.groupby("patient_id")["sex"].nunique()
    wrong = rows["patient_id"].isin(sexes.index[sexes > 1])
    messages = "patient " + rows["patient_id"] + " is F in one row and M in another; none is used"
    return _flag(rows, Finding.PATIENT_SEX_CONFLICT, messages.where(wrong, ""))


def missing_ages(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with an empty bone age."""
    missing = rows["bone_age_months"].isna() & (rows["bone_age_months_problem"] == "")
    return _flag(rows, Finding.MISSING_AGE, _where(missing, "no bone age"))


def invalid_ages(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose bone age is not a number of months."""
    return _flag(rows, Finding.INVALID_AGE, rows["bone_age_months_problem"])


def ages_out_of_range(rows: pd.DataFrame, low: float, high: float) -> pd.DataFrame:
    """Rows whose bone age in months is not from low to high."""
    age = rows["bone_age_months"]
    messages = "bone age " + age.map("{:g}".format).astype(str) + f" months is not from {low:g} to {high:g}"
    return _flag(rows, Finding.AGE_OUT_OF_RANGE, messages.where((age < low) | (age > high), ""))


def invalid_chronological_ages(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose chronological age is given but is no age of a child in months."""
    return _flag(rows, Finding.INVALID_CHRONOLOGICAL_AGE, rows["chronological_age_months_problem"])


def missing_images(rows: pd.DataFrame, image_ids: Collection[str]) -> pd.DataFrame:
    """Rows with an id that no image has."""
    missing = ~rows["id"].isin(list(image_ids)) & (rows["id"] != "")
    return _flag(rows, Finding.MISSING_IMAGE, _where(missing, "no radiograph of this name"))


def unlabelled_images(rows: pd.DataFrame, image_ids: Collection[str]) -> pd.DataFrame:
    """Images without a row; these findings belong to no row and have an index of their own."""
    unlabelled = sorted(set(image_ids) - set(rows["id"]))
    return finding_rows(Finding.UNLABELLED_IMAGE, unlabelled, "no row in the label table")


def look_up(words: pd.Series, meanings: Mapping[str, str]) -> pd.Series:
    """The meaning of each word, empty where it has none; the index stays."""
    return pd.Series([meanings.get(word, "") for word in words], words.index, dtype=str)


def _where(wrong: pd.Series, message: str) -> pd.Series:
    return pd.Series(np.where(wrong, message, ""), wrong.index, dtype=str)


def _flag(rows: pd.DataFrame, kind: Finding, messages: pd.Series) -> pd.DataFrame:
    wrong = messages.index[messages != ""]
    return finding_rows(kind, rows.loc[wrong, "id"].tolist(), messages[wrong].tolist()).set_index(wrong)
