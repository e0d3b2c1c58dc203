import math

import pytest

from boneage_kedro.evaluation.clinical.determination import Determination
from boneage_kedro.evaluation.clinical.interpretation import age_text, impression, interpret

NAN = math.nan


def test_a_girl_of_ten_years_by_hand() -> None:
    """The table gives a mean of 125.66 months and an SD of 11.73 at 120 months."""
    found = interpret("F", 143.45, (131.73, 155.19), 120)
    assert found.sd_score == pytest.approx(2.0, abs=0.001)
    assert (found.sd_lower, found.sd_upper) == pytest.approx((1.0, 3.0))
    assert found.sd_score_from_mean == pytest.approx((143.45 - 125.66) / 11.73)
    assert (found.mean_months, found.sd_months) == pytest.approx((125.66, 11.73))
    assert found.determination == "normal"  # by a hair: 2 SD are 143.46
    assert found.remarks == ("borderline: the SD score lies between +1.0 and +3.0, normal or advanced",)


def test_between_two_ages_of_the_table_the_deviation_is_interpolated() -> None:
    """Boys have an SD of 8.79 at 60 and of 9.17 at 72 months, so of 8.98 at 66."""
    found = interpret("M", 66 - 3 * 8.98, (66 - 3.5 * 8.98, 66 - 2.5 * 8.98), 66)
    assert found.sd_score == pytest.approx(-3.0)
    assert found.determination == "delayed"
    assert found.remarks == ()


def test_where_the_two_customs_disagree_both_are_told() -> None:
    """A boy of 9 years: mean 113.90, SD 9.00; 1.8 SD below his age is 2.46 below the mean."""
    found = interpret("M", 108 - 1.8 * 9, (NAN, NAN), 108)
    assert found.determination == "normal"
    assert found.remarks == ("about the mean bone age of children of this age the SD score is -2.5, delayed",)


@pytest.mark.parametrize(
    ("sex", "age", "words"),
    [("F", 192.5, "girls"), ("M", 204.5, "boys"), ("M", 2.0, "boys"), ("F", 0.0, "girls")],
)
def test_outside_the_standards_it_is_indeterminate_and_says_so(sex: str, age: float, words: str) -> None:
    found = interpret(sex, 100, (90, 110), age)
    assert found.determination == Determination.INDETERMINATE
    assert math.isnan(found.sd_score)
    (remark,) = found.remarks
    assert "outside the standards" in remark
    assert words in remark


@pytest.mark.parametrize(("bone_age", "age"), [(100, NAN), (NAN, 100), (NAN, NAN)])
def test_without_one_of_the_two_ages_nothing_is_determined(bone_age: float, age: float) -> None:
    found = interpret("F", bone_age, (NAN, NAN), age)
    assert found.determination == Determination.UNKNOWN
    assert found.remarks == ()


def test_an_interval_without_end_leaves_everything_open() -> None:
    (remark,) = interpret("F", 120, (-math.inf, math.inf), 120).remarks
    assert remark.endswith("between -inf and +inf, delayed or normal or advanced")


@pytest.mark.parametrize(
    ("months", "words"),
    [
        (88.2, "7 years 4 months"),
        (83.6, "7 years 0 months"),
        (13.4, "1 year 1 month"),
        (11.4, "11 months"),
        (0.4, "0 months"),
        (-0.4, "0 months"),
        (-3.0, "less than 0 months"),
        (math.inf, "no limit"),
        (NAN, ""),
    ],
)
def test_ages_in_words(months: float, words: str) -> None:
    assert age_text(months) == words


@pytest.mark.parametrize("determination", Determination)
def test_each_determination_has_its_sentence(determination: Determination) -> None:
    assert impression(determination, -2.34).lower().startswith(f"{determination}: ")
    assert "-2.3 SD" in impression("delayed", -2.34)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="sex must be F or M"):
        interpret("", 100, (90, 110), 100)
    with pytest.raises(ValueError, match="ends below its begin"):
        interpret("F", 100, (110, 90), 100)
