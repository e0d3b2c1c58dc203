import numpy as np
import pandas as pd
import pytest

from boneage_kedro.evaluation.study import check_cells, compare_arms

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
