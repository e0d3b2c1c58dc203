import numpy as np
import pytest

from boneage_kedro.evaluation.clinical.determination import (
    Determination,
    brush_standard,
    determine,
    determine_between,
    sd_scores,
)

NAN = float("nan")


def test_the_standard_is_that_of_the_table_at_its_ages() -> None:
    mean, sd = brush_standard(["M", "F", "M", "F", "M"], np.array([3, 3, 96, 192, 204]))
    assert mean.tolist() == [3.01, 3.02, 101.38, 189.44, 206.21]
    assert sd.tolist() == [0.69, 0.72, 9.10, 7.31, 13.05]


def test_the_standard_is_linear_between_the_ages_of_the_table() -> None:
    mean, sd = brush_standard(["M", "F"], np.array([63.0, 66.0]))  # a quarter and half of the way to 6 years
    assert mean == pytest.approx([62.43 + 13.03 / 4, (66.21 + 78.50) / 2])
    assert sd == pytest.approx([8.79 + 0.38 / 4, (11.65 + 10.23) / 2])


def test_outside_the_table_there_is_no_standard() -> None:
    ages = np.array([2.99, 204.01, 192.01, 200, NAN])
    mean, sd = brush_standard(["M", "M", "F", "M", "F"], ages)
    assert np.isnan(mean).tolist() == np.isnan(sd).tolist() == [True, True, True, False, True]


def test_the_table_grows_with_age() -> None:
    ages = np.arange(3, 193.0)
    for sex in ("F", "M"):
        mean, sd = brush_standard([sex] * len(ages), ages)
        assert (np.diff(mean) > 0).all()
        assert (np.abs(mean - ages) < 8).all()  # a slip of the keys would stand out
        assert (np.abs(np.diff(sd)) < 0.35).all()
        assert (sd > 0).all()


def test_scores_by_hand() -> None:
    girl_of_10, boy_of_9 = ("F", 120), ("M", 108)
    sexes, ages = zip(girl_of_10, boy_of_9, strict=True)
    bone_ages = np.array([120 + 2 * 11.73, 108 - 9.0])
    assert sd_scores(bone_ages, np.array(ages), sexes, "chronological_age") == pytest.approx([2, -1])
    from_mean = sd_scores(bone_ages, np.array(ages), sexes, "mean_bone_age")
    assert from_mean == pytest.approx([2 - 5.66 / 11.73, -1 - 5.90 / 9.00])


def test_the_two_centres_differ_by_up_to_two_thirds_of_a_deviation() -> None:
    ages = np.arange(24, 193.0)
    differences = [
        np.abs(brush_standard([sex] * len(ages), ages).mean_months - ages)
        / brush_standard([sex] * len(ages), ages).sd_months
        for sex in ("F", "M")
    ]
    assert max(map(np.max, differences)) == pytest.approx(5.90 / 9.00)  # boys of 9 years


@pytest.mark.parametrize(
    ("score", "verdict"),
    [
        (-2.01, "delayed"),
        (-2, "normal"),
        (0, "normal"),
        (2, "normal"),
        (2.01, "advanced"),
        (NAN, "indeterminate"),
    ],
)
def test_two_deviations_are_still_normal(score: float, verdict: str) -> None:
    assert determine(score) == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdicts"),
    [
        (-1.0, 1.0, ["normal"]),
        (-2.6, -1.4, ["delayed", "normal"]),
        (1.9, 2.1, ["normal", "advanced"]),
        (-3.0, 3.0, ["delayed", "normal", "advanced"]),
        (-4.0, -3.0, ["delayed"]),
        (NAN, NAN, ["indeterminate"]),
    ],
)
def test_an_interval_leaves_verdicts_open(low: float, high: float, verdicts: list[str]) -> None:
    assert determine_between(low, high) == [Determination(verdict) for verdict in verdicts]


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match=r"sex must be F or M, got \['male'\]"):
        brush_standard(["male"], np.array([100.0]))
    with pytest.raises(ValueError, match=r"got \(2,\) sexes and \(1,\) ages"):
        sd_scores(np.array([1.0]), np.array([100.0]), ["F", "M"], "chronological_age")
    with pytest.raises(ValueError, match="ends below its begin: 1 to -1"):
        determine_between(1, -1)
