import numpy as np
import pandas as pd
import pytest

from boneage_kedro.evaluation.studies.study import (
    CONSTANT_GUESS,
    check_cells,
    compare_arms,
    compare_in_groups,
    errors_by_seed,
)

ARMS = [{"name": "plain"}, {"name": "better"}]


def study() -> pd.DataFrame:
    """Two arms, two seeds and four cases; the second arm errs by half of the first."""
    rows = [
        {"arm": arm, "seed": seed, "id": key, "split": "test", "error": scale * (4 + 2 * (seed == 2))}
        for arm, scale in (("plain", 1.0), ("better", 0.5))
        for seed in (1, 2)
        for key in "abcd"
    ]
    table = pd.DataFrame(rows).assign(bone_age_months=100.0)
    sign = np.where(table["id"] < "c", 1, -1)
    return table.assign(predicted_months=100 + sign * table.pop("error"))


def test_arms_are_compared_case_by_case_with_the_spread_over_seeds() -> None:
    summary = compare_arms(study(), seed=1).set_index("arm")
    assert summary["mae"].to_dict() == {"plain": 5.0, "better": 2.5}
    assert summary.loc["plain", "mae_sd"] == pytest.approx(np.sqrt(2))
    assert summary.loc["better", ["difference", "difference_low", "difference_high"]].tolist() == [-2.5] * 3
    assert summary.loc["plain", "difference"] == 0
    assert summary["seeds"].tolist() == [2, 2]
    assert summary["cases"].tolist() == [4, 4]
    assert summary["rmse"].tolist() == [5.0, 2.5]
    assert summary["bias"].tolist() == [0.0, 0.0]
    assert summary["within_12"].tolist() == [1.0, 1.0]
    assert summary.loc["plain", ["mae_low", "mae_high"]].tolist() == [5.0, 5.0]  # all cases err alike


def test_arms_of_different_cases_are_compared_on_those_of_both() -> None:
    table = study()
    table = table[(table["arm"] == "plain") | (table["id"] < "c")]
    summary = compare_arms(table, seed=1).set_index("arm")
    assert summary.loc["better", "cases"] == 2
    assert summary.loc["better", "difference"] == -2.5
    strangers = table.assign(id=np.where(table["arm"] == "plain", table["id"], "z"))
    assert np.isnan(compare_arms(strangers, seed=1).set_index("arm").loc["better", "difference"])


def test_an_unfinished_study_is_not_summarised() -> None:
    check_cells(study(), ARMS, [1, 2], "run_it")
    with pytest.raises(
        ValueError, match=r"2 of 6 trainings are missing.*\('better', 3\).*run the node run_it"
    ):
        check_cells(study(), ARMS, [1, 2, 3], "run_it")


def test_strategies_are_compared_within_their_cohort_and_with_a_constant_guess() -> None:
    both = study().rename(columns={"arm": "strategy"}).assign(sex="F", cohort="F")
    others = both.assign(sex="M", cohort="M", id=both["id"] + "m")
    others["predicted_months"] += 1000
    train = pd.DataFrame({"sex": ["F", "F", "M"], "bone_age_months": [90.0, 94.0, 160.0]})
    summary = compare_in_groups(pd.concat([both, others]), train, 1, "cohort", "strategy")
    assert summary["cohort"].tolist() == ["F"] * 3 + ["M"] * 3
    assert summary["strategy"].tolist() == ["plain", "better", CONSTANT_GUESS] * 2
    girls, boys = (summary[summary["cohort"] == sex].set_index("strategy") for sex in "FM")
    assert girls["mae"].tolist() == [5.0, 2.5, 8.0]
    assert girls["difference"].tolist() == [0.0, -2.5, 3.0]
    assert girls.loc[CONSTANT_GUESS, ["seeds", "bias", "rmse"]].tolist() == [1, -8.0, 8.0]
    assert boys["mae"].tolist() == [1000.0, 1000.0, 60.0]  # errors of both signs about 1000
    assert (girls["cases"] == 4).all()


def test_errors_of_each_training_stand_on_their_own() -> None:
    errors = errors_by_seed(study(), ["arm", "seed"])
    assert errors[["arm", "seed"]].to_numpy().tolist() == [
        ["plain", 1],
        ["plain", 2],
        ["better", 1],
        ["better", 2],
    ]
    assert errors["mae"].tolist() == [4.0, 6.0, 2.0, 3.0]
