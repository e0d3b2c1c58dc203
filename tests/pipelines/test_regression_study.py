"""Nodes of `regression_study` behind the training, on made-up predictions."""

from io import StringIO
from typing import Any

import pandas as pd
import pytest

from boneage_kedro.evaluation.studies.ablation import NETWORKS
from boneage_kedro.pipelines.regression_study.nodes import (
    collect_ablation,
    draw_ablation,
    run_ablation,
    summarise_ablation,
)
from boneage_kedro.training.ages.pacing import pacing_arms

ERRORS = {"whole": 8.0, "hand": 6.0, "enhanced": 5.0, "all layers": 0.0, "PTL": 1.0}


@pytest.fixture
def cases() -> pd.DataFrame:
    table = pd.DataFrame({"id": list("abcdefgh"), "bone_age_months": [100.0] * 4 + [120.0] * 4})
    return table.assign(sex=["F", "M"] * 4, split=["train"] * 4 + ["test"] * 4)


@pytest.fixture
def study(cases: pd.DataFrame, parameters: dict[str, Any]) -> pd.DataFrame:
    """Every cell of the environment `test`, with an error of its pictures and its strategy."""
    test, settings = cases[cases["split"] == "test"], parameters["regression_study"]
    cells = []
    for seed in settings["seeds"]:
        for arm in pacing_arms(settings, settings["images"]):
            part = test if arm["cohort"] == "all" else test[test["sex"] == arm["cohort"]]
            predicted = part["bone_age_months"] + ERRORS[arm["images"]] + ERRORS[arm["strategy"]]
            place = {key: arm[key] for key in ("images", "strategy", "cohort")}
            cells.append(part.assign(**place, arm=arm["name"], seed=seed, predicted_months=predicted))
    return pd.concat(cells, ignore_index=True)


def summarise(
    study: pd.DataFrame, cases: pd.DataFrame, parameters: dict[str, Any]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    labels, splits = cases.drop(columns="split"), cases[["id", "split"]]
    settings = parameters["regression_study"], parameters["ptl_regression"]
    return summarise_ablation(study, labels, splits, *settings)


def test_errors_and_steps_are_summed_up_logged_and_drawn(
    study: pd.DataFrame, cases: pd.DataFrame, parameters: dict[str, Any]
) -> None:
    summary, gains = (
        pd.read_csv(StringIO(table.to_csv(index=False)))  # as the catalog hands them on
        for table in summarise(study, cases, parameters)
    )
    metrics = collect_ablation(summary, gains)
    assert metrics["test.M.hand.PTL.one a sex.mae"] == {"step": 0, "value": 7.0}
    assert metrics["test.all.training median of the sex.mae"]["value"] == 20.0
    assert metrics["test.F.gain.segmentation"] == {"step": 0, "value": -2.0}
    assert metrics["test.all.gain.PTL in place of all layers"]["value"] == pytest.approx(1.0)
    assert len(metrics) == 3 * (12 + 1) + 3 * 5
    epochs = study[["images", "strategy", "cohort", "seed"]].drop_duplicates()
    epochs = epochs.assign(epoch=0, stage="head", train_mae_months=9.0, validation_mae_months=8.0)
    bars, steps, curves = draw_ablation(summary, gains, epochs, "phantoms")
    assert bars.get_suptitle() == "Error on the test part, phantoms"
    assert steps.axes[0].get_title().endswith("phantoms")
    assert len(curves.axes[0].get_legend_handles_labels()[1]) == 3 * 2
    assert set(summary["networks"].dropna()) == set(NETWORKS)


def test_half_an_ablation_is_not_summed_up(
    study: pd.DataFrame, cases: pd.DataFrame, parameters: dict[str, Any]
) -> None:
    unfinished = study[(study["seed"] == 1) | (study["images"] != "enhanced")]
    with pytest.raises(ValueError, match=r"6 of 36 trainings are missing.*run_ablation"):
        summarise(unfinished, cases, parameters)


def test_enhanced_hands_that_are_missing_are_told_before_anything_is_trained(
    cases: pd.DataFrame, parameters: dict[str, Any]
) -> None:
    nothing: Any = None
    settings = parameters["ptl_regression"], parameters["regression_study"]
    cells = run_ablation(nothing, nothing, None, cases, cases, nothing, nothing, *settings)
    with pytest.raises(
        ValueError, match=r"regression_study\.images names enhanced.*run the pipeline gan_enhance"
    ):
        next(cells)
