import numpy as np
import pandas as pd
import pytest

from boneage_kedro.evaluation.ages.bias_correction import fit_bias_correction


def table(count: int = 60, slope: float = 1.25, intercept: float = -30.0, sex: str = "F") -> pd.DataFrame:
    predicted = np.linspace(30, 190, count)
    read = intercept + slope * predicted
    return pd.DataFrame({"sex": sex, "bone_age_months": read, "predicted_months": predicted})


def test_a_line_is_found_and_taken_back() -> None:
    cases = table()
    correction = fit_bias_correction(cases, by_sex=False)
    assert correction.lines["all"] == pytest.approx((-30, 1.25))
    corrected = correction.apply(cases["sex"].to_numpy(), cases["predicted_months"].to_numpy())
    np.testing.assert_allclose(corrected, cases["bone_age_months"])


def test_a_quarter_of_gross_errors_hardly_moves_it() -> None:
    cases = table()
    cases.loc[::4, "bone_age_months"] = 220.0
    line = fit_bias_correction(cases, by_sex=False).lines["all"]
    assert line.slope == pytest.approx(1.25, abs=0.1)
    least_squares = np.polyfit(cases["predicted_months"], cases["bone_age_months"], 1)[0]
    assert abs(least_squares - 1.25) > 0.25


def test_each_sex_gets_its_line_or_both_the_same() -> None:
    cases = pd.concat([table(), table(slope=0.8, intercept=10.0, sex="M")])
    lines = fit_bias_correction(cases, by_sex=True).lines
    assert lines["F"] == pytest.approx((-30, 1.25))
    assert lines["M"] == pytest.approx((10, 0.8))
    found = fit_bias_correction(cases, by_sex=True).apply(np.array(["M", "F"]), np.array([100.0, 100.0]))
    np.testing.assert_allclose(found, [90, 95])
    assert list(fit_bias_correction(cases, by_sex=False).lines) == ["all"]


def test_noise_about_the_truth_leaves_ages_as_they_are_about() -> None:
    rng = np.random.default_rng(0)
    cases = table(400, 1.0, 0.0)
    cases["bone_age_months"] += rng.laplace(0, 6, 400)
    line = fit_bias_correction(cases, by_sex=False).lines["all"]
    assert line.slope == pytest.approx(1, abs=0.03)
    assert line.intercept_months == pytest.approx(0, abs=3)


def test_what_cannot_be_fitted_or_applied_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"for M needs at least 20 calibration cases.* there are 5, 5 of them"
    ):
        fit_bias_correction(pd.concat([table(), table(5, sex="M")]), by_sex=True)
    with pytest.raises(ValueError, match="there are 60, 59 of them finite"):
        fit_bias_correction(table().assign(predicted_months=[np.nan, *range(59)]), by_sex=False)
    for flat in (table(slope=-0.5), table().assign(predicted_months=90.0)):
        with pytest.raises(ValueError, match="do not rise with the predicted ones"):
            fit_bias_correction(flat, by_sex=False)
    with pytest.raises(ValueError, match="no calibration cases"):
        fit_bias_correction(table().iloc[:0], by_sex=True)
    with pytest.raises(ValueError, match="fitted for sex F, and there are cases of M"):
        fit_bias_correction(table(), by_sex=True).apply(np.array(["M"]), np.array([50.0]))
