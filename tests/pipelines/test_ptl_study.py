"""Nodes of `ptl_study` behind the training, on made-up predictions."""

from typing import Any

import pandas as pd
import pytest

from boneage_kedro.pipelines.ptl_study.nodes import collect_strategies, draw_strategies, summarise_strategies
from boneage_kedro.training.ages.pacing import pacing_arms

ERRORS = {"all layers": 4.0, "PTL": -10.0}


@pytest.fixture
def cases() -> pd.DataFrame:
    table = pd.DataFrame({"id": list("abcdefgh"), "bone_age_months": [100.0] * 4 + [120.0] * 4})
    return table.assign(sex=["F", "M"] * 4, split=["train"] * 4 + ["test"] * 4)


@pytest.fixture
def study(cases: pd.DataFrame, parameters: dict[str, Any]) -> pd.DataFrame:
    """Every cell of the environment `test`, with an error of its strategy's."""
    test = cases[cases["split"] == "test"]
    cells = [
        (test if arm["cohort"] == "all" else test[test["sex"] == arm["cohort"]]).assign(
            arm=arm["name"],
            strategy=arm["strategy"],
            cohort=arm["cohort"],
            seed=seed,
            predicted_months=lambda part, arm=arm: part["bone_age_months"] + ERRORS[arm["strategy"]],
        )
        for seed in parameters["ptl_study"]["seeds"]
        for arm in pacing_arms(parameters["ptl_study"])
    ]
    return pd.concat(cells, ignore_index=True)


def summarise(study: pd.DataFrame, cases: pd.DataFrame, parameters: dict[str, Any]) -> pd.DataFrame:
    labels, splits = cases.drop(columns="split"), cases[["id", "split"]]
    return summarise_strategies(study, labels, splits, parameters["ptl_study"], parameters["ptl_regression"])


def test_each_cohort_is_compared_with_its_first_strategy_and_logged(
    study: pd.DataFrame, cases: pd.DataFrame, parameters: dict[str, Any]
) -> None:
    summary = summarise(study, cases, parameters)
    assert summary["cohort"].tolist() == ["all"] * 3 + ["F"] * 3 + ["M"] * 3
    assert summary["mae"].tolist() == [4.0, 10.0, 20.0] * 3  # the guess is the training part's 100 months
    assert summary["difference"].tolist() == [0.0, 6.0, 16.0] * 3
    metrics = collect_strategies(summary)
    assert metrics["test.F.PTL.mae"] == {"step": 0, "value": 10.0}
    assert len(metrics) == 9


def test_figures_say_whose_hands_they_are(
    study: pd.DataFrame, cases: pd.DataFrame, parameters: dict[str, Any]
) -> None:
    epochs = study[["strategy", "cohort", "seed"]].drop_duplicates()
    epochs = epochs.assign(epoch=0, stage="head", train_mae_months=9.0, validation_mae_months=8.0)
    curves, bars = draw_strategies(study, epochs, summarise(study, cases, parameters), "phantoms")
    assert curves.get_suptitle().endswith("phantoms")
    assert bars.axes[0].get_title() == "Error on the test part, phantoms"
    assert "constant guess: 20.0" in bars.axes[0].get_xticklabels()[0].get_text()


def test_a_study_that_was_interrupted_is_not_summarised(
    study: pd.DataFrame, cases: pd.DataFrame, parameters: dict[str, Any]
) -> None:
    unfinished = study[(study["seed"] == 1) | (study["cohort"] != "M")]
    with pytest.raises(
        ValueError, match=r"2 of 12 trainings are missing, such as \('PTL, M', 2\).*run_strategies"
    ):
        summarise(unfinished, cases, parameters)
