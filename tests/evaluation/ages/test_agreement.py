import numpy as np
import pandas as pd
import pytest

from boneage_kedro.evaluation.ages.agreement import agreement_by_sex, bland_altman


def test_agreement_by_hand() -> None:
    truth = np.array([100.0, 110, 120, 130])
    found = bland_altman(truth, truth + np.array([1.0, 3, 1, 3]), seed=0)
    sd = np.sqrt(4 / 3)  # of 1, 3, 1, 3
    assert found["cases"] == 4
    assert found["bias"] == pytest.approx(2)
    assert found["lower_limit"] == pytest.approx(2 - 1.96 * sd, abs=1e-3)
    assert found["upper_limit"] == pytest.approx(2 + 1.96 * sd, abs=1e-3)


def test_a_network_that_guesses_towards_the_mean_has_a_slope_below_0() -> None:
    truth = np.linspace(20, 220, 50)
    found = bland_altman(truth, 120 + 0.8 * (truth - 120), seed=0)
    assert found["slope"] == pytest.approx(-0.2 / 0.9)  # -0.2 t over 0.9 t
    assert found["slope_low"] == pytest.approx(found["slope_high"])  # no noise
    assert found["bias"] == pytest.approx(0)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(1)
    truth = rng.uniform(20, 220, 80)
    held = {"bias": 0, "upper_limit": 0, "slope": 0}
    known = {"bias": 3.0, "upper_limit": 3 + 1.96 * 8, "slope": 0.0}
    for seed in range(60):
        # noise on both sides, so that the difference has nothing to do with the mean
        half = rng.normal(1.5, 4 * np.sqrt(2), (2, 80)) * [[-1], [1]]
        found = bland_altman(truth + half[0], truth + half[1], seed)
        for name, value in known.items():
            held[name] += found[f"{name}_low"] <= value <= found[f"{name}_high"]
    assert all(count >= 50 for count in held.values())


def test_children_of_one_age_have_no_slope() -> None:
    assert bland_altman(np.full(5, 100.0), np.full(5, 104.0), seed=0)["slope"] == 0


@pytest.mark.parametrize(
    ("truth", "predicted", "message"),
    [
        ([1.0, 2], [1.0, 2], "at least three"),
        ([1.0, 2, 3], [1.0, 2], "equally long"),
        ([1.0, 2, np.nan], [1.0, 2, 3], "1 of 3 ages are not finite"),
    ],
)
def test_bad_input_is_refused(truth: list[float], predicted: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bland_altman(np.array(truth), np.array(predicted), seed=0)


def test_a_sex_of_two_has_no_row_of_its_own() -> None:
    cases = pd.DataFrame(
        {
            "sex": list("FFFMM"),
            "bone_age_months": [50.0, 60, 70, 80, 90],
            "predicted_months": [51.0, 62, 73, 70, 80],
        }
    )
    table = agreement_by_sex(cases, seed=0).set_index("cohort")
    assert table["cases"].to_dict() == {"all": 5, "F": 3}
    assert table.loc["F", "bias"] == pytest.approx(2)
    with pytest.raises(ValueError, match="at least three ages"):
        agreement_by_sex(cases[:2], seed=0)
