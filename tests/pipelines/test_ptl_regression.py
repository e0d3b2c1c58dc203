"""Nodes of `ptl_regression` behind the training: intervals and tables, on made-up predictions."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from boneage_kedro.evaluation.ages.metrics import compare
from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.pipelines.ptl_regression.nodes import (
    MODELS,
    calibrate_ages,
    collect_metrics,
    compare_with_paper,
    data_learnt_from,
    draw_intervals,
    measure_intervals,
)
from tests.evaluation.made_up_errors import predictions as made_up

WEIGHTS = {"w": torch.zeros(2)}
SETTINGS = {"regressor": {"input_px": 64}}


@pytest.fixture
def params(parameters: dict[str, Any]) -> dict[str, Any]:
    return parameters["ptl_regression"]


@pytest.fixture
def predictions() -> pd.DataFrame:
    table = made_up(400, 0)
    splits = ["train", "validation", "calibration", "test"]
    return table.assign(id=[f"c{i:03d}" for i in range(400)], split=np.resize(splits, 400))


def test_the_test_part_gets_intervals_from_the_calibration_part_alone(
    predictions: pd.DataFrame, params: dict[str, Any]
) -> None:
    calibration, table = calibrate_ages(predictions, WEIGHTS, SETTINGS, params)
    assert calibration["cases"] == 100
    assert calibration["coverage"] == params["intervals"]["coverage"]
    assert table["id"].tolist() == predictions.loc[predictions["split"] == "test", "id"].tolist()
    assert table["predicted_months"].between(table["lower_months"], table["upper_months"]).all()
    changed = predictions.copy()
    changed.loc[changed["split"] != "calibration", "bone_age_months"] += 50
    again, same = calibrate_ages(changed, WEIGHTS, SETTINGS, params)
    assert again == calibration
    ends = ["lower_months", "upper_months"]
    pd.testing.assert_frame_equal(same[ends], table[ends])


def test_the_calibration_names_its_network(predictions: pd.DataFrame, params: dict[str, Any]) -> None:
    names = [
        calibrate_ages(predictions, weights, settings, params)[0]["network"]
        for weights, settings in (
            (WEIGHTS, SETTINGS),
            ({"w": torch.ones(2)}, SETTINGS),
            (WEIGHTS, {"regressor": {"input_px": 65}}),
        )
    ]
    assert len(set(names)) == 3


def test_too_small_a_calibration_part_is_told(predictions: pd.DataFrame, params: dict[str, Any]) -> None:
    few = predictions[(predictions["split"] != "calibration") | (predictions["id"] < "c012")]
    params["intervals"]["coverage"] = 0.9
    with pytest.raises(ValueError, match="90% intervals need at least 9 calibration cases, got 3"):
        calibrate_ages(few, WEIGHTS, SETTINGS, params)


def test_coverage_and_limits_of_agreement_are_drawn_and_logged(
    predictions: pd.DataFrame, params: dict[str, Any]
) -> None:
    _, table = calibrate_ages(predictions, WEIGHTS, SETTINGS, params)
    coverage, agreement = measure_intervals(table, params)
    assert agreement["cohort"].tolist() == ["all", "F", "M"]
    held = table["bone_age_months"].between(table["lower_months"], table["upper_months"]).mean()
    comparison = compare(table, {MODELS["ptl"]: table["predicted_months"].to_numpy()}, 0)
    epochs = pd.DataFrame(
        0.0,
        index=[0],
        columns=["epoch", "train_loss", "train_mae_months", "validation_mae_months", "learning_rate"],
    )
    metrics = collect_metrics(comparison, coverage, agreement, epochs, epochs)
    assert metrics["test.ptl.all.coverage"]["value"] == pytest.approx(held)
    assert metrics["test.ptl.all.mean_width"]["value"] > 0
    assert (
        metrics["test.ptl.all.lower_limit"]["value"]
        < metrics["test.ptl.all.bias"]["value"]
        < metrics["test.ptl.all.upper_limit"]["value"]
    )
    figures = draw_intervals(table, coverage, agreement, "phantoms", params)
    titles = [figure.axes[0].get_title() for figure in figures]
    assert all("the test part, phantoms" in title for title in titles)


def test_our_row_of_the_papers_tables_says_how_many_cases_of_what_were_used(
    predictions: pd.DataFrame, params: dict[str, Any]
) -> None:
    test = predictions[predictions["split"] == "test"]
    comparison = compare(test, {MODELS["ptl"]: test["predicted_months"].to_numpy()}, 0)
    settings = {"data": [{"source": "phantoms", "radiographs": 240}]}
    methods, participants = compare_with_paper(
        comparison, predictions, pd.DataFrame({"epoch": range(7)}), settings, None, "phantoms", params
    )
    ours = methods.iloc[-1]
    assert (ours["dataset_size"], ours["held_out"], ours["epochs"]) == (400, 100, "7")
    assert ours["feature"].endswith("px, phantoms")
    cut, _ = compare_with_paper(
        comparison,
        predictions,
        pd.DataFrame({"epoch": range(7)}),
        {"data": [*settings["data"], {"source": "coarse ones", "radiographs": 1000}]},
        None,
        "phantoms",
        params | {"images": "hand"},
    )
    assert cut.iloc[-1]["feature"].endswith("px of cut hands, phantoms, after 1000 of coarse ones")
    assert cut.iloc[-1]["dataset_size"] == 1400
    maes = comparison.set_index("cohort")["mae"]
    columns = ["mae", "mae_girls", "mae_boys"]
    for table in (methods, participants):
        assert table.iloc[-1][columns].tolist() == pytest.approx(maes[["all", "F", "M"]].tolist())


@pytest.mark.parametrize("before", [[], [{"source": "phantoms", "radiographs": 90}]])
def test_radiographs_of_the_own_source_count_once(
    predictions: pd.DataFrame, params: dict[str, Any], before: list[dict[str, Any]]
) -> None:
    test = predictions[predictions["split"] == "test"]
    comparison = compare(test, {MODELS["ptl"]: test["predicted_months"].to_numpy()}, 0)
    settings = {"data": [{"source": "phantoms", "radiographs": 240}, *before]} if before else {}
    methods, _ = compare_with_paper(
        comparison, predictions, pd.DataFrame({"epoch": range(7)}), settings, None, "phantoms", params
    )
    assert methods.iloc[-1]["dataset_size"] == 400


def test_data_are_those_of_all_starts_once(
    predictions: pd.DataFrame, params: dict[str, Any], tmp_path: Path
) -> None:
    coarse, fine = ({"source": kind, "radiographs": 1000} for kind in ("coarse", "fine"))
    for name, data in (("first", [coarse]), ("second", [fine, coarse])):
        save_file(WEIGHTS, tmp_path / f"{name}.safetensors")
        (tmp_path / f"{name}.json").write_text(json.dumps({"data": data}))
    folds = params["folds"] | {"count": 5, "variants": [{}, {"initial_weights": "second"}, {"augment": {}}]}
    own = {"source": "phantoms", "radiographs": 200}
    weights = PretrainedWeights(tmp_path)
    asked = params | {"initial_weights": "first", "folds": folds}
    assert data_learnt_from(predictions, "phantoms", weights, asked) == [own, coarse, fine]
    (tmp_path / "second.json").write_text(json.dumps({"data": [coarse | {"radiographs": 1200}]}))
    assert data_learnt_from(predictions, "phantoms", weights, asked) == [own, coarse | {"radiographs": 1200}]
    without = asked | {"folds": folds | {"count": 0}}
    assert data_learnt_from(predictions, "phantoms", weights, without) == [own | {"radiographs": 100}, coarse]


def test_figures_of_girls_alone_stand_in_the_column_of_girls(
    predictions: pd.DataFrame, params: dict[str, Any]
) -> None:
    girls = predictions[predictions["sex"] == "F"]
    test = girls[girls["split"] == "test"]
    comparison = compare(test, {MODELS["ptl"]: test["predicted_months"].to_numpy()}, 0)
    tables = compare_with_paper(
        comparison,
        girls,
        pd.DataFrame({"epoch": [0]}),
        {"data": [{"source": "phantoms", "radiographs": 120}]},
        None,
        "phantoms",
        params | {"cohort": "F"},
    )
    for table in tables:
        assert table.iloc[-1][["mae", "mae_girls", "mae_boys"]].notna().tolist() == [False, True, False]
