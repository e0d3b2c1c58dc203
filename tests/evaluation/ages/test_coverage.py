import numpy as np
import pandas as pd
import pytest

from boneage_kedro.evaluation.ages.coverage import binomial_interval, interval_coverage


def cases() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "sex": ["F", "F", "M", "M"],
            "bone_age_months": [20.0, 30, 30, 40],
            "lower_months": [20.0, 31, 20, 20],
            "upper_months": [30.0, 41, 40, 60],
        }
    )


def test_coverage_by_hand() -> None:
    table = interval_coverage(cases(), 24).set_index(["age_band", "sex"])
    assert table["cases"].to_dict() == {
        ("all", "all"): 4,
        ("all", "F"): 2,
        ("all", "M"): 2,
        ("0-2 y", "all"): 1,
        ("0-2 y", "F"): 1,
        ("2-4 y", "all"): 3,
        ("2-4 y", "F"): 1,
        ("2-4 y", "M"): 2,
    }
    assert table.loc[("all", "all"), "coverage"] == 0.75  # the ends belong to the interval
    assert table.loc[("2-4 y", "F"), "coverage"] == 0
    assert table.loc[("all", "all"), "mean_width"] == pytest.approx((10 + 10 + 20 + 40) / 4)
    assert table.loc[("all", "all"), "median_width"] == 15


def test_wilson_by_hand() -> None:
    low, high = binomial_interval(90, 100)
    assert (low, high) == pytest.approx((0.8256, 0.9448), abs=1e-4)
    assert binomial_interval(0, 10)[0] == 0
    assert binomial_interval(10, 10)[1] == 1


def test_wilson_holds_the_truth_as_often_as_it_says() -> None:
    hits = np.random.default_rng(0).binomial(40, 0.9, 4000)
    ends = np.array([binomial_interval(int(h), 40) for h in hits])
    assert np.mean((ends[:, 0] <= 0.9) & (ends[:, 1] >= 0.9)) == pytest.approx(0.95, abs=0.02)


def test_what_is_no_interval_is_refused() -> None:
    turned = cases().assign(lower_months=[50.0, 31, 20, np.nan])
    with pytest.raises(ValueError, match="2 of 4 are none"):
        interval_coverage(turned, 24)
    with pytest.raises(ValueError, match="at least one case"):
        interval_coverage(cases()[:0], 24)
