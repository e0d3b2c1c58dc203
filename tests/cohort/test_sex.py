import pytest

from boneage_kedro.cohort.sex import Sex, parse_male_flag, parse_sex


@pytest.mark.parametrize("sex", list(Sex))
def test_sex_survives_a_round_trip(sex: Sex) -> None:
    assert parse_sex(str(sex)) is sex


def test_words_in_any_case() -> None:
    assert {parse_sex(word) for word in ("f", "Female", " GIRL ", "w")} == {Sex.FEMALE}
    assert {parse_sex(word) for word in ("m", "MALE", "Boy")} == {Sex.MALE}


@pytest.mark.parametrize("word", ["", "0", "1", "True", "x", "nan", "fm"])
def test_sex_is_never_guessed(word: str) -> None:
    with pytest.raises(ValueError, match="is not one of F, M"):
        parse_sex(word)


def test_a_column_named_male_says_what_1_means() -> None:
    assert {parse_male_flag(flag) for flag in ("True", "TRUE", "1", "1.0", "yes")} == {Sex.MALE}
    assert {parse_male_flag(flag) for flag in ("False", "0", "0.0", "no")} == {Sex.FEMALE}


@pytest.mark.parametrize("flag", ["", "2", "M", "nan"])
def test_any_other_flag_is_refused(flag: str) -> None:
    with pytest.raises(ValueError, match="is not one of True/False"):
        parse_male_flag(flag)
