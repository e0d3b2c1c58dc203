import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from boneage_kedro.evaluation.ages.intervals import (
    IntervalCalibration,
    IntervalSettings,
    calibrate,
    conformal_quantile,
    ensemble_factor,
    least_count,
)
from tests.evaluation.made_up_errors import error_sd, predictions


def settings(**changes: Any) -> IntervalSettings:
    plain: IntervalSettings = {
        "coverage": 0.9,
        "quantile": "guaranteed",
        "normalise": False,
        "ridge_cases": 1,
        "by_sex": False,
        "band_months": 0,
        "least_cases": 20,
        "shrink_cases": 0,
    }
    return plain | changes  # type: ignore[return-value]


def held(calibration: IntervalCalibration, cases: pd.DataFrame) -> pd.Series:
    return cases["bone_age_months"].between(*calibration.interval(cases))


def test_the_quantile_by_hand() -> None:
    scores = np.array([5.0, 1, 4, 2, 3, 9, 8, 7, 6])
    assert conformal_quantile(scores, 0.9) == 9  # (9 + 1) 0.9 = 9
    assert conformal_quantile(scores, 0.8) == 8
    assert conformal_quantile(scores, 0.75) == 8  # 7.5, rounded up
    assert conformal_quantile(scores, 0.75, "interpolated") == pytest.approx(7.5)


@pytest.mark.parametrize(("coverage", "count"), [(0.9, 9), (0.8, 4), (0.95, 19), (0.99, 99), (0.5, 1)])
def test_the_fewest_cases(coverage: float, count: int) -> None:
    assert least_count(coverage) == count
    conformal_quantile(np.arange(count), coverage)
    with pytest.raises(ValueError, match=f"needs at least {count} scores, got {count - 1}"):
        conformal_quantile(np.arange(count - 1), coverage)


def test_too_few_cases_say_how_many_are_needed() -> None:
    with pytest.raises(ValueError, match="90% intervals need at least 9 calibration cases, got 8"):
        calibrate(predictions(8, seed=0), settings())


def test_a_plain_calibration_by_hand() -> None:
    errors = np.array([1.0, -2, 3, -4, 5, -6, 7, -8, 9])
    cases = pd.DataFrame({"sex": "F", "predicted_months": 100.0, "bone_age_months": 100 + errors})
    calibration = calibrate(cases, settings())
    asked = pd.DataFrame({"sex": ["M", "F"], "predicted_months": [50.0, 3.0]})
    lower, upper = calibration.interval(asked)
    assert lower.tolist() == [41, 0]  # no age is below 0
    assert upper.tolist() == [59, 12]


@pytest.mark.parametrize(
    "changes",
    [{}, {"normalise": True}, {"by_sex": True, "band_months": 36}],
)
def test_coverage_is_kept_on_average(changes: dict[str, Any]) -> None:
    """40 calibrations of 100 cases; the standard error of the mean coverage is 0.5%."""
    new = predictions(2000, seed=10_000)
    learnt = [predictions(100, seed) for seed in range(40)]
    found = [held(calibrate(cases, settings(**changes)), new).mean() for cases in learnt]
    assert 0.89 <= np.mean(found) <= 0.93  # rounded up, groups of 20 hold up to 0.95
    exact = settings(**changes, quantile="interpolated")
    found = [held(calibrate(cases, exact), new).mean() for cases in learnt]
    assert np.mean(found) == pytest.approx(0.9, abs=0.015)


def test_groups_and_difficulty_help_where_errors_differ() -> None:
    new = predictions(20_000, seed=99)
    hard = error_sd(new["predicted_months"].to_numpy()) > 10
    learnt = predictions(600, seed=1)
    plain = held(calibrate(learnt, settings()), new)
    assert plain[hard].mean() < 0.82  # every case gets the same, too little here
    for changes in ({"band_months": 36}, {"normalise": True}):
        better = held(calibrate(learnt, settings(**changes)), new)
        assert better[hard].mean() > 0.84
        assert better[hard].mean() - better[~hard].mean() > plain[hard].mean() - plain[~hard].mean() + 0.1
    narrow, wide = (calibrate(learnt, settings(**c)).radius(new).mean() for c in ({"band_months": 36}, {}))
    assert narrow < 0.9 * wide


def test_small_bands_are_joined_with_the_smaller_neighbour() -> None:
    ages = np.repeat([10.0, 30, 50, 70, 90], [40, 25, 5, 30, 12])
    cases = pd.DataFrame({"sex": "F", "predicted_months": ages, "bone_age_months": ages + 1})
    groups = calibrate(cases, settings(band_months=20)).groups
    # 5 joins 25 and not 30; then 12 has one neighbour alone
    assert [(g.from_months, g.cases) for g in groups] == [(0, 40), (20, 30), (60, 42)]


def test_bands_without_cases_are_joined_too() -> None:
    ages = np.repeat([150.0, 210], [30, 30])
    cases = pd.DataFrame({"sex": "F", "predicted_months": ages, "bone_age_months": ages})
    groups = calibrate(cases, settings(band_months=20)).groups
    assert sum(g.cases for g in groups) == 60
    assert all(g.cases >= 20 for g in groups)


def test_every_age_falls_into_a_group() -> None:
    calibration = calibrate(predictions(400, seed=1), settings(by_sex=True, band_months=24))
    asked = pd.DataFrame({"sex": ["F", "M"] * 2, "predicted_months": [-40.0, -40, 400, 400]})
    ends = [[g.radius for g in calibration.groups if g.sex == sex] for sex in "FM"]
    assert calibration.radius(asked).tolist() == [ends[0][0], ends[1][0], ends[0][-1], ends[1][-1]]


def test_sexes_stay_together_if_one_has_too_few() -> None:
    cases = predictions(100, seed=1).assign(sex=["M"] * 95 + ["F"] * 5)
    assert {g.sex for g in calibrate(cases, settings(by_sex=True)).groups} == {"all"}
    assert {g.sex for g in calibrate(cases.assign(sex=["F", "M"] * 50), settings(by_sex=True)).groups} == {
        "F",
        "M",
    }


def test_a_sex_that_was_not_calibrated_is_refused() -> None:
    calibration = calibrate(predictions(50, seed=1).assign(sex="M"), settings(by_sex=True))
    with pytest.raises(ValueError, match="not calibrated for sex F"):
        calibration.radius(pd.DataFrame({"sex": ["F"], "predicted_months": [100.0]}))


def test_shrinking_draws_groups_together() -> None:
    cases = predictions(300, seed=2)
    spreads = []
    for shrink in (0, 30, 1e9):
        radii = [g.radius for g in calibrate(cases, settings(band_months=36, shrink_cases=shrink)).groups]
        spreads.append(np.ptp(radii))
    assert spreads[0] > spreads[1] > spreads[2]
    assert spreads[2] == pytest.approx(0, abs=1e-5)


def test_a_calibration_goes_through_json() -> None:
    cases = predictions(200, seed=1)
    for changes in ({}, {"normalise": True, "by_sex": True, "band_months": 48}):
        calibration = calibrate(cases, settings(**changes))
        again = IntervalCalibration.from_dict(json.loads(json.dumps(calibration.as_dict(), allow_nan=False)))
        assert again == calibration
        assert np.array_equal(again.radius(cases), calibration.radius(cases))


def test_the_order_of_cases_does_not_matter() -> None:
    cases = predictions(200, seed=1)
    wanted = settings(normalise=True, by_sex=True, band_months=48)
    one, other = calibrate(cases, wanted), calibrate(cases.sample(frac=1, random_state=0), wanted)
    assert one.radius(cases) == pytest.approx(other.radius(cases))


@pytest.mark.parametrize("column", ["predicted_months", "bone_age_months"])
def test_ages_that_are_not_finite_are_refused(column: str) -> None:
    cases = predictions(30, seed=1)
    cases.loc[3, column] = np.nan
    with pytest.raises(ValueError, match=f"{column} of 1 of 30 cases is not finite"):
        calibrate(cases, settings())


def test_an_ensemble_that_halves_the_error_halves_the_radius() -> None:
    truth = np.array([100.0, 100])
    members = np.array([[104.0, 96], [108.0, 104]])
    assert ensemble_factor(truth, members.mean(1), members) == pytest.approx((0 + 6) / 2 / 5)
    assert ensemble_factor(truth, truth, np.stack([truth, truth], 1)) == 1
    calibration = calibrate(predictions(50, seed=1), settings())
    asked = predictions(5, seed=2)
    assert calibration.scaled(0.5).radius(asked) == pytest.approx(calibration.radius(asked) / 2)
