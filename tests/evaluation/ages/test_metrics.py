import numpy as np
import pandas as pd
import pytest

from boneage_kedro.evaluation.ages.metrics import (
    age_errors,
    compare,
    errors_by_age_band,
    guess_training_median,
    mae_interval,
)


def test_errors_by_hand() -> None:
    errors = age_errors(np.array([100.0, 110, 120, 130]), np.array([103.0, 100, 120, 160]))
    assert errors["cases"] == 4
    assert errors["mae"] == pytest.approx((3 + 10 + 0 + 30) / 4)
    assert errors["rmse"] == pytest.approx(np.sqrt((9 + 100 + 0 + 900) / 4))
    assert errors["bias"] == pytest.approx((3 - 10 + 0 + 30) / 4)
    assert errors["within_6"] == 0.5
    assert errors["within_12"] == 0.75
    assert errors["within_24"] == 0.75


def test_the_limits_count_as_within() -> None:
    assert age_errors(np.array([0.0]), np.array([6.0]))["within_6"] == 1


@pytest.mark.parametrize(
    ("truth", "predicted", "message"),
    [
        ([1.0], [1.0, 2.0], "equally long"),
        ([], [], "non-empty"),
        ([1.0, 2.0], [np.nan, 2.0], "1 of 2 ages are not finite"),
    ],
)
def test_bad_input_is_refused(truth: list[float], predicted: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        age_errors(np.array(truth), np.array(predicted))


def test_the_interval_holds_the_mae_and_shrinks_with_cases() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for count in (40, 4000):
        truth, error = np.zeros(count), rng.normal(0, 8, count)
        low, high = mae_interval(truth, error, seed=1)
        assert low < np.abs(error).mean() < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 5
    assert mae_interval(np.zeros(5), np.arange(5.0), seed=1) == mae_interval(
        np.zeros(5), np.arange(5.0), seed=1
    )


@pytest.mark.parametrize("cases", [0, 1])
def test_fewer_than_two_cases_have_no_interval(cases: int) -> None:
    assert np.isnan(mae_interval(np.zeros(cases), np.full(cases, 3.0), seed=1)).all()


TRAIN = pd.DataFrame({"sex": ["F", "F", "F", "M"], "bone_age_months": [50.0, 60, 100, 140]})


def test_the_guess_is_the_median_of_the_same_sex() -> None:
    guess = guess_training_median(TRAIN, pd.DataFrame({"sex": ["M", "F"]}))
    assert guess.tolist() == [140, 60]


def test_the_guess_for_a_sex_that_was_not_trained_is_the_median_of_all() -> None:
    guess = guess_training_median(TRAIN[TRAIN["sex"] == "F"], pd.DataFrame({"sex": ["M"]}))
    assert guess.tolist() == [60]


def test_comparison_has_a_row_a_model_and_cohort() -> None:
    truth = pd.DataFrame({"sex": ["F", "M", "M"], "bone_age_months": [100.0, 100, 100]})
    table = compare(truth, {"a": np.array([101.0, 104, 110])}, seed=0).set_index("cohort")
    assert table.loc["all", "mae"] == 5
    assert table.loc["F", "mae"] == 1
    assert table.loc["M", "mae"] == 7
    assert (table["mae_low"] <= table["mae"])[["all", "M"]].all()
    assert np.isnan(table.loc["F", "mae_low"])  # of one case
    girls_only = compare(truth[:1], {"a": np.array([101.0])}, seed=0)
    assert girls_only["cohort"].tolist() == ["all"]  # one sex is everyone


def test_bands_are_named_by_years_and_count_every_case_once() -> None:
    truth = pd.DataFrame({"sex": ["F", "F", "M"], "bone_age_months": [23.9, 24.0, 30.0]})
    table = errors_by_age_band(truth, np.array([24.9, 24.0, 40.0]), 24)
    assert table[["age_band", "sex", "cases"]].values.tolist() == [
        ["0-2 y", "F", 1],
        ["2-4 y", "F", 1],
        ["2-4 y", "M", 1],
    ]
    assert table["mae"].tolist() == pytest.approx([1, 0, 10])
