import dataclasses
import math

import pytest

from boneage_kedro.evaluation.clinical.case_result import COLUMNS, CaseResult
from tests.case_results import FAILED, GIRL

NAN = math.nan


def changed(**values: object) -> CaseResult:
    return dataclasses.replace(GIRL, **values)


def test_the_row_by_hand() -> None:
    """SD of girls of 10 years: 11.73; -22.488 months are -1.917 of it, and the ends -2.73 and -1.11."""
    assert GIRL.row() == {
        "id": "h1",
        "sex": "F",
        "bone_age_months": 97.51,
        "bone_age_text": "8 years 2 months",
        "lower_months": 88.0,
        "upper_months": 107.0,
        "chronological_age_months": 120,
        "sd_score": -1.92,
        "determination": "normal",
        "status": "ok",
        "warnings": "the hand is rotated; borderline: the SD score lies between -2.7 and -1.1, delayed or "
        "normal; about the mean bone age of children of this age the SD score is -2.4, delayed",
        "hand_score": 0.988,
        "model_run_id": "run7",
    }


def test_a_case_that_failed_has_the_same_columns() -> None:
    row = dataclasses.replace(FAILED, sex="").row()
    assert tuple(row) == COLUMNS
    assert row["determination"] == "unknown"
    assert row["bone_age_text"] == ""
    assert math.isnan(row["sd_score"])


@pytest.mark.parametrize(
    ("status", "chronological", "verdict"),
    [
        ("ok", 120, "normal"),
        ("ok", 200, "indeterminate"),
        ("ok", NAN, "unknown"),
        ("indeterminate", 120, "indeterminate"),
        ("indeterminate", NAN, "unknown"),
    ],
)
def test_the_determination_is_no_surer_than_the_reading(
    status: str, chronological: float, verdict: str
) -> None:
    assert changed(status=status, chronological_age_months=chronological).determination == verdict
