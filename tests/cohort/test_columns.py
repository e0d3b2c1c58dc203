import pandas as pd
import pytest

from boneage_kedro.cohort.columns import case_id, read_columns, unused_columns
from boneage_kedro.cohort.sex import Sex, parse_male_flag, parse_sex


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("1377", "1377"),
        (" 1377 ", "1377"),
        ("1377.0", "1377"),
        ("1377.png", "1377"),
        ("1377.PNG", "1377"),
        ("1377.0.jpeg", "1377"),
        ("007", "007"),
        ("007.0", "007"),
        ("a/b/1377.dcm", "1377"),
        (r"a\1377.tif", "1377"),
        ("../../1377", "1377"),
        ("1377.5", "1377.5"),
        ("1.2.840.10008", "1.2.840.10008"),
        ("hand.v2", "hand.v2"),
        ("Mu\u0308ller 3.png", "M\u00fcller 3"),  # as a Mac spells it
        ("folder/", ""),
        ("", ""),
    ],
)
def test_ids_of_cells_and_file_names_are_the_same(name: str, expected: str) -> None:
    assert case_id(name) == expected
    assert case_id(expected) == expected


HEADERS = {
    "Kaggle, RSNA training, Deeplasia": (["id", "boneage", "male"], parse_male_flag),
    "RSNA validation": (["Image ID", "male", "Bone Age (months)"], parse_male_flag),
    "RSNA test": (["Case ID", "Ground truth bone age (months)", "Sex"], parse_sex),
    "Deeplasia": (["ID", "Male", "Boneage"], parse_male_flag),
    "Digital Hand Atlas": (["image_ID", "dir", "sex", "bone_age"], parse_sex),
    "this project": (["id", "sex", "bone_age_months"], parse_sex),
}


@pytest.mark.parametrize("table", HEADERS)
def test_published_headers_are_known(table: str) -> None:
    header, parser = HEADERS[table]
    raw = pd.DataFrame([[f"cell of {name}" for name in header]], columns=header)
    text, parse_one_sex = read_columns(raw, ["id", "sex", "bone_age_months"], ["patient_id"])
    assert list(text.columns) == ["id", "sex", "bone_age_months"]
    assert "id" in text["id"][2].lower()
    assert "age" in text["bone_age_months"][2].lower()
    assert parse_one_sex is parser


def test_case_spaces_and_punctuation_of_a_header_do_not_matter() -> None:
    raw = pd.DataFrame([["1", "F", "90"]], columns=["image-id", " SEX", "Bone age [months]"])
    text, _ = read_columns(raw, ["id", "sex", "bone_age_months"], [])
    assert text.loc[2].tolist() == ["1", "F", "90"]


def test_optional_columns_are_taken_when_they_are_there() -> None:
    rhpe = pd.DataFrame([["1", "0", "150", "140.2"]], columns=["ID", "Male", "Boneage", "Chronological"])
    text, _ = read_columns(rhpe, ["id", "sex"], ["chronological_age_months", "patient_id"])
    assert text.loc[2].to_dict() == {"id": "1", "sex": "0", "chronological_age_months": "140.2"}


def test_cells_are_stripped_text_and_rows_count_as_in_a_spreadsheet() -> None:
    raw = pd.DataFrame({"id": [" 1 ", None], "male": [True, False]}, index=[7, 7])
    text, parse_one_sex = read_columns(raw, ["id", "sex"], [])
    assert text["id"].tolist() == ["1", ""]
    assert text.index.tolist() == [2, 3]
    assert [parse_one_sex(cell) for cell in text["sex"]] == [Sex.MALE, Sex.FEMALE]


def test_an_unknown_header_lists_what_was_found_and_what_is_known() -> None:
    with pytest.raises(ValueError, match="no column for id and bone_age_months") as error:
        read_columns(pd.DataFrame(columns=["name", "sex", "age"]), ["id", "sex", "bone_age_months"], [])
    assert "['name', 'sex', 'age']" in str(error.value)
    assert "Ground truth bone age (months)" in str(error.value)


def test_a_table_with_another_separator_is_told_about_commas() -> None:
    with pytest.raises(ValueError, match=r"\['id;boneage;male'\].*by commas"):
        read_columns(pd.DataFrame(columns=["id;boneage;male"]), ["id", "sex"], [])


def test_two_columns_for_one_thing_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\['sex', 'Male'\] could each be the sex"):
        read_columns(pd.DataFrame(columns=["id", "sex", "Male"]), ["id", "sex"], [])


def test_columns_that_are_not_asked_for_cannot_be_in_doubt() -> None:
    raw = pd.DataFrame(columns=["id", "sex", "boneage", "bone_age_months"])
    text, _ = read_columns(raw, ["id", "sex"], [])
    assert list(text.columns) == ["id", "sex"]


def test_columns_that_nobody_asked_for_are_named() -> None:
    raw = pd.DataFrame([["1", "F", "120", "x"]], columns=["Case ID", "Sex", "age", "note"])
    assert unused_columns(raw, ["id", "sex", "chronological_age_months"]) == ["age", "note"]
