"""Label tables and case tables: every row is either used or named with the reason."""

from collections.abc import Callable, Collection

import numpy as np
import pandas as pd

from boneage_kedro.cohort import checks
from boneage_kedro.cohort.columns import case_id, read_columns, whole_number
from boneage_kedro.cohort.findings import describe_findings
from boneage_kedro.cohort.sex import Sex

_OLDEST_CHILD_MONTHS = 300  # a larger chronological age is in days, or of an adult
_CASE_COLUMNS = ("id", "patient_id", "sex", "bone_age_months", "chronological_age_months", "race")


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
        and ``chronological_age_months`` (nan when not given), sorted by id; and ``race`` in the table's words, if the
        table has it.
        Findings, as from `boneage_kedro.cohort.findings.finding_rows`.

    Raises:
        ValueError: the table's columns are not known, or no row can be used.
    """
    labels = read_columns(
        raw_labels,
        required=["id", "sex", "bone_age_months"],
        optional=["patient_id", "chronological_age_months", "race"],
    )
    rows = _parse(*labels)
    contradictory = checks.contradictory_ids(rows)
    single = rows.drop(contradictory.index)
    refused = pd.concat(
        [
            checks.missing_ids(rows),
            checks.unusable_ids(rows),
            contradictory,
            checks.repeated_rows(single),
            checks.missing_patients(rows),
            checks.unknown_sexes(rows),
            checks.patients_of_two_sexes(single),
            checks.missing_ages(rows),
            checks.invalid_ages(rows),
            checks.ages_out_of_range(rows, min_age_months, max_age_months),
            checks.missing_images(rows, image_ids),
        ]
    )
    noted = [checks.invalid_chronological_ages(rows), checks.unlabelled_images(rows, image_ids)]
    findings = pd.concat([refused, *noted], ignore_index=True)
    columns = [column for column in _CASE_COLUMNS if column in rows]
    cases = rows.loc[~rows.index.isin(refused.index), columns].sort_values("id", ignore_index=True)
    if cases.empty:
        raise ValueError(f"none of the {len(rows)} rows can be used\n{describe_findings(findings)}")
    return cases, findings


def read_case_table(raw: pd.DataFrame) -> pd.DataFrame:
    """Read the table of cases to assess: ``id``, ``sex`` (or ``male``) and perhaps ``chronological_age_months``.

    No row is lost: a bad one keeps its place and says what is wrong. Only a row that says again
    what an earlier one says is left out; rows of one id that contradict each other are all bad.

    Args:
        raw: all cells as text (``dtype=str, keep_default_na=False``).

    Returns:
        In the order of the table ``id``, ``sex`` (F, M, or empty), ``chronological_age_months`` (nan when not
        given), ``problem`` (why the case cannot be read, as in ``unknown_sex: sex 'x' is not ...``) and ``note``
        (what was passed over); both are empty for a good row.

    Raises:
        ValueError: the table has no column for id or sex.
    """
    rows = _parse(*read_columns(raw, required=["id", "sex"], optional=["chronological_age_months"]))
    contradictory = checks.contradictory_ids(rows)
    rows = rows.drop(checks.repeated_rows(rows.drop(contradictory.index)).index)
    ids = [checks.missing_ids(rows), checks.unusable_ids(rows), contradictory]
    rows["problem"] = _join(rows, [*ids, checks.unknown_sexes(rows)])
    rows["note"] = _join(rows, [checks.invalid_chronological_ages(rows)])
    return rows[["id", "sex", "chronological_age_months", "problem", "note"]].reset_index(drop=True)


def _join(rows: pd.DataFrame, findings: list[pd.DataFrame]) -> pd.Series:
    """All findings of each row as one text."""
    found = pd.concat(findings)
    texts = (found["kind"] + ": " + found["detail"]).groupby(level=0).agg("; ".join)
    return texts.reindex(rows.index, fill_value="").astype(str)


def _parse(text: pd.DataFrame, parse_one_sex: Callable[[str], Sex]) -> pd.DataFrame:
    """The table of values and their problems that `boneage_kedro.cohort.checks` describes."""
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
    if "race" in text:
        rows["race"] = text["race"]
    return rows


def _parse_sexes(words: pd.Series, parse_one: Callable[[str], Sex]) -> tuple[pd.Series, pd.Series]:
    sexes: dict[str, str] = {}
    problems: dict[str, str] = {}
    for word in words.unique():
        try:
            sexes[word] = str(parse_one(word))
        except ValueError as error:
            problems[word] = str(error)
    return checks.look_up(words, sexes), checks.look_up(words, problems)


def _parse_months(text: pd.Series, what: str, most: float) -> tuple[pd.Series, pd.Series]:
    """Ages and what is wrong with them; an empty cell is nan and no problem."""
    months = pd.to_numeric(text, errors="coerce").astype(float)
    good = np.isfinite(months) & (months >= 0) & (months <= most)
    limit = f" from 0 to {most:g}" if np.isfinite(most) else ""
    message = f"{what} '" + text + f"' is not a number of months{limit}"
    return months.where(good), message.where(~good & (text != ""), "")
