"""Label tables and case tables: every row is either used or named with the reason."""

from collections.abc import Callable, Collection

import numpy as np
import pandas as pd

from boneage_kedro.cohort.columns import case_id, read_columns, whole_number
from boneage_kedro.cohort.findings import Finding, describe_findings, finding_rows
from boneage_kedro.cohort.sex import Sex

_OLDEST_CHILD_MONTHS = 300  # a larger chronological age is in days, or of an adult
_CASE_COLUMNS = ["id", "patient_id", "sex", "bone_age_months", "chronological_age_months"]


def read_cases(
    raw_labels: pd.DataFrame, image_ids: Collection[str], min_age_months: float, max_age_months: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read a label table in any published form (`boneage_kedro.cohort.columns`) into the cases to use.

    A row with a missing id, patient or age, an unknown sex, an age out of range or no image is left out. Rows
    that repeat an id are used once when they agree, and not at all when they contradict each other; neither
    are radiographs of one patient of two sexes. A chronological age that cannot be read is left empty.

    Args:
        raw_labels: all cells as text (``dtype=str, keep_default_na=False``).
        image_ids: ids of the radiographs there are, from `boneage_kedro.cohort.columns.case_id`.
        min_age_months, max_age_months: bone ages to use, both limits included.

    Returns:
        Cases: ``id``, ``patient_id`` (the id when the table has none), ``sex`` (F or M), ``bone_age_months``
        and ``chronological_age_months`` (nan when not given), sorted by id.
        Findings, as from `boneage_kedro.cohort.findings.finding_rows`.

    Raises:
        ValueError: the table's columns are not known, or no row can be used.
    """
    labels = read_columns(
        raw_labels,
        required=["id", "sex", "bone_age_months"],
        optional=["patient_id", "chronological_age_months"],
    )
    rows = _parse(*labels)
    refused = _refused(rows, min_age_months, max_age_months, image_ids)
    noted = _flag(rows, Finding.INVALID_CHRONOLOGICAL_AGE, rows["chronological_age_months_problem"])
    findings = pd.concat([refused, noted, _unlabelled_images(rows, image_ids)], ignore_index=True)
    cases = rows.loc[~rows.index.isin(refused.index), _CASE_COLUMNS].sort_values("id", ignore_index=True)
    if cases.empty:
        raise ValueError(f"none of the {len(rows)} rows can be used\n{describe_findings(findings)}")
    return cases, findings


def read_case_table(raw: pd.DataFrame) -> pd.DataFrame:
    """Read the table of cases to assess: ``id``, ``sex`` (or ``male``) and perhaps ``chronological_age_months``.

    No row is lost: a bad one keeps its place and says what is wrong. Only a row that repeats an earlier one
    word for word is left out; rows of one id that contradict each other are all bad.

    Args:
        raw: all cells as text (``dtype=str, keep_default_na=False``).

    Returns:
        In the order of the table ``id``, ``sex`` (F, M, or empty), ``chronological_age_months`` (nan when not
        given) and ``problem`` (empty for a good row, else as in ``unknown_sex: sex 'x' is not ...``).

    Raises:
        ValueError: the table has no column for id or sex.
    """
    rows = _parse(*read_columns(raw, required=["id", "sex"], optional=["chronological_age_months"]))
    rows = rows.drop(_repeated_ids(rows).index)
    findings = pd.concat(
        [
            _missing_ids(rows),
            _contradictory_ids(rows),
            _flag(rows, Finding.UNKNOWN_SEX, rows["sex_problem"]),
            _flag(rows, Finding.INVALID_CHRONOLOGICAL_AGE, rows["chronological_age_months_problem"]),
        ]
    )
    problems = (findings["kind"] + ": " + findings["detail"]).groupby(level=0).agg("; ".join)
    rows["problem"] = problems.reindex(rows.index, fill_value="").astype(str)
    return rows[["id", "sex", "chronological_age_months", "problem"]].reset_index(drop=True)


def _parse(text: pd.DataFrame, parse_one_sex: Callable[[str], Sex]) -> pd.DataFrame:
    """Values of each row beside what is wrong with them (empty when nothing is); same index as ``text``."""
    rows = pd.DataFrame(index=text.index)
    rows["id"] = text["id"].map(case_id).astype(str)
    rows["patient_id"] = (
        text["patient_id"].map(whole_number).astype(str) if "patient_id" in text else rows["id"]
    )
    rows["sex"], rows["sex_problem"] = _parse_sexes(text["sex"], parse_one_sex)
    blank = pd.Series("", text.index, dtype=str)
    rows["bone_age_months"], rows["bone_age_months_problem"] = _parse_months(
        text.get("bone_age_months", blank), "bone age", np.inf
    )
    rows["chronological_age_months"], rows["chronological_age_months_problem"] = _parse_months(
        text.get("chronological_age_months", blank), "chronological age", _OLDEST_CHILD_MONTHS
    )
    return rows


def _parse_sexes(words: pd.Series, parse_one: Callable[[str], Sex]) -> tuple[pd.Series, pd.Series]:
    sexes: dict[str, str] = {}
    problems: dict[str, str] = {}
    for word in words.unique():
        try:
            sexes[word] = str(parse_one(word))
        except ValueError as error:
            problems[word] = str(error)
    return _look_up(words, sexes), _look_up(words, problems)


def _look_up(words: pd.Series, meaning: dict[str, str]) -> pd.Series:
    return pd.Series([meaning.get(word, "") for word in words], words.index, dtype=str)


def _parse_months(text: pd.Series, what: str, most: float) -> tuple[pd.Series, pd.Series]:
    """Ages and what is wrong with them; an empty cell is nan and no problem."""
    months = pd.to_numeric(text, errors="coerce").astype(float)
    good = np.isfinite(months) & (months >= 0) & (months <= most)
    limit = f" from 0 to {most:g}" if np.isfinite(most) else ""
    message = f"{what} '" + text + f"' is not a number of months{limit}"
    return months.where(good), message.where(~good & (text != ""), "")


def _refused(rows: pd.DataFrame, low: float, high: float, image_ids: Collection[str]) -> pd.DataFrame:
    """All reasons not to use a row, indexed as the rows are; a row may have several."""
    no_patient = (rows["patient_id"] == "") & (rows["id"] != "")
    no_age = rows["bone_age_months"].isna() & (rows["bone_age_months_problem"] == "")
    return pd.concat(
        [
            _missing_ids(rows),
            _repeated_ids(rows),
            _contradictory_ids(rows),
            _flag(rows, Finding.MISSING_PATIENT_ID, _where(no_patient, "no patient id")),
            _flag(rows, Finding.UNKNOWN_SEX, rows["sex_problem"]),
            _patients_of_two_sexes(rows),
            _flag(rows, Finding.MISSING_AGE, _where(no_age, "no bone age")),
            _flag(rows, Finding.INVALID_AGE, rows["bone_age_months_problem"]),
            _out_of_range(rows, low, high),
            _missing_images(rows, image_ids),
        ]
    )


def _where(wrong: pd.Series, message: str) -> pd.Series:
    return pd.Series(np.where(wrong, message, ""), wrong.index, dtype=str)


def _flag(rows: pd.DataFrame, kind: Finding, messages: pd.Series) -> pd.DataFrame:
    """Findings for the rows with a message; they keep the rows' index, so that the rows can be dropped by it."""
    wrong = messages.index[messages != ""]
    return finding_rows(kind, rows.loc[wrong, "id"].tolist(), messages[wrong].tolist()).set_index(wrong)


def _missing_ids(rows: pd.DataFrame) -> pd.DataFrame:
    places = "row " + rows.index.astype(str).to_series(rows.index) + " has no id"
    return _flag(rows, Finding.MISSING_ID, places.where(rows["id"] == "", ""))


def _repeated_ids(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows that say again what an earlier row of the same id says."""
    repeated = rows.duplicated() & (rows["id"] != "") & ~rows["id"].isin(_contradictory_ids(rows)["id"])
    return _flag(rows, Finding.DUPLICATE_ID, _where(repeated, "the same row again; used once"))


def _contradictory_ids(rows: pd.DataFrame) -> pd.DataFrame:
    """All rows of the ids whose rows differ, saying in what."""
    several = rows[rows["id"].duplicated(keep=False) & (rows["id"] != "")]
    by_id = several.groupby("id")
    differ = by_id.nunique(dropna=False) > 1
    messages = pd.Series("", rows.index, dtype=str)
    for name, differs in differ[differ.any(axis=1)].iterrows():
        columns = dict.fromkeys(column.removesuffix("_problem") for column in differ.columns[differs])
        same_id = by_id.groups[name]
        places = ", ".join(map(str, same_id))
        messages.loc[same_id] = f"rows {places} differ in {', '.join(columns)}; none is used"
    return _flag(rows, Finding.DUPLICATE_ID, messages)


def _patients_of_two_sexes(rows: pd.DataFrame) -> pd.DataFrame:
    known = rows[(rows["sex"] != "") & (rows["patient_id"] != "")]
    sexes = known.groupby("patient_id")["sex"].nunique()
    wrong = rows["patient_id"].isin(sexes.index[sexes > 1])
    messages = "patient " + rows["patient_id"] + " is F in one row and M in another; none is used"
    return _flag(rows, Finding.PATIENT_SEX_CONFLICT, messages.where(wrong, ""))


def _out_of_range(rows: pd.DataFrame, low: float, high: float) -> pd.DataFrame:
    age = rows["bone_age_months"]
    messages = "bone age " + age.map("{:g}".format).astype(str) + f" months is not from {low:g} to {high:g}"
    return _flag(rows, Finding.AGE_OUT_OF_RANGE, messages.where((age < low) | (age > high), ""))


def _missing_images(rows: pd.DataFrame, image_ids: Collection[str]) -> pd.DataFrame:
    missing = ~rows["id"].isin(list(image_ids)) & (rows["id"] != "")
    return _flag(rows, Finding.MISSING_IMAGE, _where(missing, "no radiograph of this name"))


def _unlabelled_images(rows: pd.DataFrame, image_ids: Collection[str]) -> pd.DataFrame:
    unlabelled = sorted(set(image_ids) - set(rows["id"]))
    return finding_rows(Finding.UNLABELLED_IMAGE, unlabelled, "no row in the label table")
