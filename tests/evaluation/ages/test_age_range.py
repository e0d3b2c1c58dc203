import pytest

from boneage_kedro.evaluation.ages.age_range import range_reasons, range_warning

RANGE = [12.0, 228.0]
UNKNOWN = float("nan")


@pytest.mark.parametrize("age", [12.0, 100.0, 228.0])
def test_ages_within_the_range_have_no_reason(age: float) -> None:
    assert range_reasons(age, UNKNOWN, RANGE) == []
    assert range_reasons(age, 228.0, RANGE) == []


@pytest.mark.parametrize("age", [11.9, 228.1, float("nan")])
def test_ages_outside_have_one(age: float) -> None:
    assert range_reasons(age, UNKNOWN, RANGE) == [
        "outside 12 to 228 months, the ages the network learnt from"
    ]


def test_an_infant_and_an_adult_by_the_chronological_age_have_one() -> None:
    assert range_reasons(40, 8, RANGE) == ["the chronological age is 8 months; bone age is read from 12 on"]
    assert range_reasons(220, 300, RANGE) == [
        "the chronological age is 25.0 years; bone age is read up to 19"
    ]


def test_an_interval_beyond_the_ends_is_told() -> None:
    assert range_warning(12, 228, RANGE) == ""
    assert "fully grown" in range_warning(200, 229, RANGE)
    assert "below 12 months" in range_warning(5, 30, RANGE)
    assert range_warning(UNKNOWN, UNKNOWN, RANGE) == ""
