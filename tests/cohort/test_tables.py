import io
import json
import math
from pathlib import Path

import pandas as pd
import pytest

from boneage_kedro.cohort.findings import Finding
from boneage_kedro.cohort.tables import read_case_table, read_cases
from boneage_kedro.schemas import Cases


def table(*lines: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO("\n".join(lines)), dtype=str, keep_default_na=False)


def read(*lines: str, images: str = "1 2 3") -> tuple[pd.DataFrame, list[list[str]]]:
    """Cases, and kind and id of the findings."""
    cases, findings = read_cases(table(*lines), images.split(), 1, 228)
    return cases, findings[["kind", "id"]].values.tolist()


def test_good_rows_become_cases_sorted_by_id() -> None:
    cases, findings = read("id,boneage,male", "2,180,False", "1,94.5,True", images="1 2")
    Cases.validate(cases)
    assert cases[["id", "patient_id", "sex", "bone_age_months"]].values.tolist() == [
        ["1", "1", "M", 94.5],
        ["2", "2", "F", 180.0],
    ]
    assert cases["chronological_age_months"].isna().all()
    assert findings == []


def test_patients_and_chronological_ages_are_read_when_given() -> None:
    header = "id,patient_id,sex,bone_age_months,chronological_age_months"
    cases, findings = read(header, "1,p,F,94,90.5", "2,p,F,110,", images="1 2")
    assert cases["patient_id"].tolist() == ["p", "p"]
    assert cases["chronological_age_months"][0] == 90.5
    assert math.isnan(cases["chronological_age_months"][1])
    assert findings == []


def test_race_is_kept_in_the_tables_words_and_only_if_it_has_any() -> None:
    cases, findings = read("id,sex,bone_age,Race", "1,F,94, Asian ", "2,M,110,", images="1 2")
    assert cases["race"].tolist() == ["Asian", ""]
    assert findings == []
    without, _ = read("id,sex,bone_age", "1,F,94", images="1")
    assert "race" not in without


def test_the_same_patient_written_as_a_float_is_the_same_patient() -> None:
    cases, _ = read("id,patient_id,sex,bone_age", "1,12.0,F,94", "2,12,F,110", images="1 2")
    assert cases["patient_id"].tolist() == ["12", "12"]


def test_ids_keep_leading_zeros_and_lose_what_spreadsheets_and_listings_add() -> None:
    cases, findings = read("id,boneage,male", "007,94,1", "8.0,94,1", "a/9.png,94,1", images="007 8 9")
    assert cases["id"].tolist() == ["007", "8", "9"]
    assert findings == []


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ("2,p2,,100", Finding.UNKNOWN_SEX),
        ("2,p2,1,100", Finding.UNKNOWN_SEX),
        ("2,p2,F,", Finding.MISSING_AGE),
        ("2,p2,F,ten", Finding.INVALID_AGE),
        ("2,p2,F,nan", Finding.INVALID_AGE),
        ("2,p2,F,inf", Finding.INVALID_AGE),
        ("2,p2,F,-3", Finding.INVALID_AGE),
        ("2,p2,F,0.9", Finding.AGE_OUT_OF_RANGE),
        ("2,p2,F,228.1", Finding.AGE_OUT_OF_RANGE),
        ("2,,F,100", Finding.MISSING_PATIENT_ID),
    ],
)
def test_a_bad_row_is_named_and_the_good_one_used(row: str, kind: Finding) -> None:
    cases, findings = read("id,patient_id,sex,bone_age_months", "1,p1,F,100", row, images="1 2")
    assert cases["id"].tolist() == ["1"]
    assert findings == [[kind, "2"]]


def test_both_limits_of_age_are_used() -> None:
    cases, findings = read("id,boneage,male", "1,1,1", "2,228,1", images="1 2")
    assert len(cases) == 2
    assert findings == []


def test_a_row_without_id_is_named_by_its_place() -> None:
    cases, findings = read_cases(table("id,boneage,male", "1,90,1", ",90,1"), ["1"], 1, 228)
    assert cases["id"].tolist() == ["1"]
    assert findings[["kind", "detail"]].values.tolist() == [["missing_id", "row 3 has no id"]]


def test_a_row_with_several_problems_has_a_finding_for_each() -> None:
    _, findings = read("id,boneage,male", "1,90,1", "2,x,?", images="1")
    assert findings == [["unknown_sex", "2"], ["invalid_age", "2"], ["missing_image", "2"]]


def test_a_row_that_is_repeated_is_used_once() -> None:
    cases, findings = read("id,boneage,male", "1,90,True", "1.0,90.0,1", "1,90,TRUE", images="1")
    assert cases["id"].tolist() == ["1"]
    assert findings == [["duplicate_id", "1"], ["duplicate_id", "1"]]


@pytest.mark.parametrize("other", ["1,91,True", "1,90,False", "1,,True", "1,90,?"])
def test_rows_that_contradict_each_other_are_not_used(other: str) -> None:
    raw = table("id,boneage,male", "1,90,True", "2,90,True", other)
    cases, findings = read_cases(raw, ["1", "2"], 1, 228)
    assert cases["id"].tolist() == ["2"]
    duplicates = findings[findings["kind"] == Finding.DUPLICATE_ID]
    assert duplicates["id"].tolist() == ["1", "1"]
    assert duplicates["detail"].str.startswith("rows 2, 4 differ in ").all()
    assert Finding.PATIENT_SEX_CONFLICT not in set(findings["kind"])  # one problem, told once


def test_rows_that_differ_only_in_an_unreadable_cell_contradict_each_other() -> None:
    header = "id,sex,bone_age_months,chronological_age_months"
    cases, findings = read(header, "1,F,90,", "1,F,90,ten", "2,F,90,80", images="1 2")
    assert cases["id"].tolist() == ["2"]
    assert ["duplicate_id", "1"] in findings


def test_a_patient_of_two_sexes_is_not_used() -> None:
    rows = ["1,p,F,100", "2,p,M,100", "3,q,M,100"]
    cases, findings = read("id,patient_id,sex,bone_age_months", *rows)
    assert cases["id"].tolist() == ["3"]
    assert findings == [["patient_sex_conflict", "1"], ["patient_sex_conflict", "2"]]


def test_a_chronological_age_that_cannot_be_read_is_left_empty() -> None:
    header = "ID,Male,Boneage,Chronological"
    cases, findings = read(header, "1,1,90,ten", "2,1,90,3650", "3,1,90,88")
    assert cases["id"].tolist() == ["1", "2", "3"]
    assert cases["chronological_age_months"].isna().tolist() == [True, True, False]
    assert findings == [["invalid_chronological_age", "1"], ["invalid_chronological_age", "2"]]


def test_labels_without_image_and_images_without_label_are_named() -> None:
    cases, findings = read("id,boneage,male", "1,90,1", "5,90,1", "6,x,1", images="1 9 6")
    assert cases["id"].tolist() == ["1"]
    assert findings == [["invalid_age", "6"], ["missing_image", "5"], ["unlabelled_image", "9"]]


@pytest.mark.parametrize("rows", [[], ["1,x,1", "2,90,1"]])
def test_when_no_row_can_be_used_the_reasons_are_given(rows: list[str]) -> None:
    with pytest.raises(ValueError, match=f"none of the {len(rows)} rows can be used") as error:
        read("id,boneage,male", *rows, images="1")
    assert ("missing_image: 1 (2)" in str(error.value)) == bool(rows)


def test_every_row_is_used_or_has_a_finding() -> None:
    rows = [f"{i % 7 or ''},{'90' if i % 3 else 'x'},{'1' if i % 5 else '?'}" for i in range(60)]
    rows += ["99,90,1"]
    cases, findings = read_cases(table("id,boneage,male", *rows), ["1", "2", "99"], 1, 228)
    named = set(findings["id"]) | set(cases["id"])
    assert named == {*map(str, range(1, 7)), "", "99"}
    assert (findings["kind"] == Finding.MISSING_ID).sum() == 9


def test_the_real_labels_have_no_findings(shared_rsna: Path) -> None:
    raw = pd.read_csv(shared_rsna / "labels.csv", dtype=str, keep_default_na=False)
    cases, findings = read_cases(raw, raw["id"].tolist(), 1, 228)
    assert len(cases) == 12_385
    assert (cases["sex"] == "M").sum() == 6_711
    assert findings.empty


def test_case_tables_in_their_order() -> None:
    cases = read_case_table(table("id,sex,chronological_age_months", "b,female,120", "a.dcm,M,"))
    assert cases[["id", "sex", "problem"]].values.tolist() == [["b", "F", ""], ["a", "M", ""]]
    assert cases["chronological_age_months"][0] == 120
    assert math.isnan(cases["chronological_age_months"][1])


def test_case_tables_need_no_chronological_age_and_may_say_male() -> None:
    cases = read_case_table(table("ID,Male", "1,True", "2,0"))
    assert cases["sex"].tolist() == ["M", "F"]
    assert cases["chronological_age_months"].isna().all()
    assert (cases["problem"] == "").all()


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("2,,100", "unknown_sex: sex '' is not one of F, M"),
        ("2,1,100", "unknown_sex: sex '1' is not one of F, M"),
        (",F,100", "missing_id: row 3 has no id"),
        (f"{101 * 'ü'},F,100", "unusable_id: files are named by the id, which must have 200 bytes at most"),
    ],
)
def test_a_bad_case_keeps_its_row_with_the_reason(row: str, problem: str) -> None:
    cases = read_case_table(table("id,sex,chronological_age_months", "1,F,100", row, "3,M,100"))
    assert cases["id"].tolist() == ["1", row.partition(",")[0], "3"]
    assert cases["problem"][1].startswith(problem)
    assert cases["problem"][[0, 2]].tolist() == ["", ""]


@pytest.mark.parametrize("age", ["ten", "-1"])
def test_a_bad_chronological_age_is_noted_and_the_case_stays_good(age: str) -> None:
    cases = read_case_table(table("id,sex,chronological_age_months", f"2,F,{age}"))
    assert cases["problem"].tolist() == [""]
    assert cases["note"][0].startswith(
        f"invalid_chronological_age: chronological age '{age}' is not a number of months from 0 to 300"
    )
    assert math.isnan(cases["chronological_age_months"][0])


def test_several_problems_are_all_told() -> None:
    cases = read_case_table(table("id,sex,chronological_age_months", ",x,ten"))
    kinds = [problem.split(":")[0] for problem in cases["problem"][0].split("; ")]
    assert kinds == ["missing_id", "unknown_sex"]


def test_contradicting_cases_all_stay_with_the_reason_and_repeated_ones_merge() -> None:
    cases = read_case_table(table("id,sex", "1,F", "2,F", "1,M", "2,girl", ",F", ",F"))
    assert cases["id"].tolist() == ["1", "2", "1", "", ""]
    assert cases["problem"].tolist()[:3] == [
        "duplicate_id: rows 2, 4 differ in sex; none is used",
        "",
        "duplicate_id: rows 2, 4 differ in sex; none is used",
    ]


def test_a_case_table_without_rows_is_empty_and_typed() -> None:
    cases = read_case_table(table("id,sex"))
    assert list(cases.columns) == ["id", "sex", "chronological_age_months", "problem", "note"]
    assert json.loads(cases.to_json(orient="records")) == []


def test_a_case_table_without_sex_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no column for sex\..*known names are sex: sex, male"):
        read_case_table(table("id,age", "1,100"))
