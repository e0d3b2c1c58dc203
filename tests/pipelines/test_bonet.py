"""Nodes of `bonet`, and the row that they bring to the tables of `ptl_regression`."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from boneage_kedro.imaging.store import ImageStore, ImageStoreWriter, StoreEntry, StoreHeader
from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.pipelines.bonet.nodes import (
    collect_bonet_arms,
    describe_bonet,
    draw_bonet_arms,
    predict_by_bonet,
    summarise_bonet_arms,
    train_bonet,
)
from boneage_kedro.pipelines.ptl_regression.nodes import MODELS, compare_models, compare_with_paper
from boneage_kedro.schemas import Predictions
from boneage_kedro.training.checkpoint import CheckpointFile

SIDE = 32
SETTINGS = {"data": [{"source": "phantoms", "radiographs": 12}]}
"""Of the network by `ptl_regression`."""
IDS = [f"c{i:02d}" for i in range(24)]


@pytest.fixture
def params(parameters: dict[str, Any]) -> dict[str, Any]:
    return parameters["bonet"]


@pytest.fixture
def cases() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "id": IDS,
            "patient_id": IDS,
            "sex": np.resize(list("FMMFF"), 24),
            "bone_age_months": rng.uniform(20, 220, 24),
        }
    )


@pytest.fixture
def splits() -> pd.DataFrame:
    return pd.DataFrame(
        {"id": IDS, "split": np.resize(["train", "train", "train", "validation", "calibration", "test"], 24)}
    )


@pytest.fixture
def store(tmp_path: Path, cases: pd.DataFrame) -> ImageStore:
    rng = np.random.default_rng(2)
    with ImageStoreWriter(tmp_path / "store", StoreHeader(SIDE, {})) as writer:
        for key in cases["id"]:
            writer.append([StoreEntry(key, "", rng.integers(0, 256, (SIDE, SIDE)).astype(np.uint8))])
        writer.finish()
    return ImageStore(tmp_path / "store")


def predictions(cases: pd.DataFrame, splits: pd.DataFrame, error: float) -> pd.DataFrame:
    table = cases.merge(splits, on="id").drop(columns="patient_id")
    return table.assign(predicted_months=table["bone_age_months"] + error)


def test_the_baseline_is_trained_on_the_one_split_and_predicts_every_case(
    store: ImageStore, cases: pd.DataFrame, splits: pd.DataFrame, params: dict[str, Any], tmp_path: Path
) -> None:
    checkpoint, pretrained = CheckpointFile(tmp_path / "state.pt"), PretrainedWeights(tmp_path)
    weights, settings, history = train_bonet(store, cases, splits, pretrained, checkpoint, params)
    table = predict_by_bonet(store, cases, splits, weights, settings, params)
    Predictions.validate(table)
    assert table["id"].tolist() == IDS
    assert describe_bonet(table, history, params) == {
        "network": "bonet/16 at 32 px",
        "dataset_size": 24,
        "epochs": 1,
    }
    moved = splits.assign(split=np.roll(splits["split"], 1))
    with pytest.raises(
        ValueError, match=r"labels or split have changed .* run the pipeline bonet as a whole"
    ):
        predict_by_bonet(store, cases, moved, weights, settings, params)


def study(cases: pd.DataFrame, splits: pd.DataFrame, params: dict[str, Any]) -> pd.DataFrame:
    """Every arm errs by its number of months, times the fold; each fold validates a half."""
    unseen = (
        predictions(cases, splits, 0.0)
        .query("split != 'calibration'")
        .replace({"split": {"train": "validation"}})
    )
    half = np.arange(len(unseen)) % 2 + 1
    tables = []
    for fold in (1, 2):
        mine = unseen[(unseen["split"] == "test") | (half == fold)]
        for error, arm in enumerate(params["arms"], start=1):
            tables.append(
                mine.assign(
                    arm=arm["name"], fold=fold, predicted_months=mine["bone_age_months"] + error * fold
                )
            )
    return pd.concat(tables, ignore_index=True)


def test_arms_are_summarised_drawn_and_logged(
    cases: pd.DataFrame, splits: pd.DataFrame, params: dict[str, Any]
) -> None:
    table = study(cases, splits, params)
    summary, by_group = summarise_bonet_arms(table, cases.assign(race=["a", "b", "b"] * 8), params)
    rows = summary.set_index(["split", "arm"])
    assert rows.loc[("test", "from scratch"), ["mae", "mae_sd", "folds", "cases"]].tolist() == pytest.approx(
        [1.5, np.sqrt(0.5), 2, 4]
    )
    assert rows.loc[("test", "first layers lent, rigid"), "difference"] == pytest.approx(1.5)
    assert rows.loc["validation", "cases"].tolist() == [16, 16]
    assert set(by_group["race"]) == {"all", "a", "b"}
    for figure in draw_bonet_arms(summary, by_group, "phantoms"):
        title = figure.get_suptitle() or figure.axes[0].get_title()
        assert title == "Error on the test part, 4 cases, phantoms"
    metrics = collect_bonet_arms(summary, predictions(cases, splits, -3.0))
    assert metrics["test.first layers lent rigid.mae"]["value"] == pytest.approx(3)
    assert metrics["test.baseline.mae"]["value"] == pytest.approx(3)


def test_an_interrupted_study_is_told(
    cases: pd.DataFrame, splits: pd.DataFrame, params: dict[str, Any]
) -> None:
    table = study(cases, splits, params)
    with pytest.raises(
        ValueError, match=r"1 of 4 trainings are missing, such as \('from scratch', 2\).*run_bonet_arms"
    ):
        summarise_bonet_arms(table[(table["fold"] == 1) | (table["arm"] != "from scratch")], cases, params)


def test_the_baseline_has_a_row_in_every_table_of_ptl_regression(
    cases: pd.DataFrame, splits: pd.DataFrame, parameters: dict[str, Any]
) -> None:
    ptl, fine_tune, bonet = (predictions(cases, splits, error) for error in (1.0, 2.0, 5.0))
    params = parameters["ptl_regression"]
    comparison, _ = compare_models(ptl, fine_tune, bonet[::-1], params)
    assert list(dict.fromkeys(comparison["model"])) == [
        MODELS[key] for key in ("constant", "bonet", "fine_tune", "ptl")
    ]
    errors = comparison.set_index(["model", "cohort"])["mae"]
    assert errors[MODELS["bonet"]].tolist() == pytest.approx([5, 5, 5])
    description = {"network": "bonet at 80 px", "dataset_size": 24, "epochs": 10}
    history = pd.DataFrame({"epoch": [0, 1]})
    methods, participants = compare_with_paper(
        comparison, ptl, history, SETTINGS, description, "phantoms", params
    )
    assert methods["method"].tolist()[-2:] == [f"ours: {MODELS['bonet']}", f"ours: {MODELS['ptl']}"]
    assert methods[["feature", "epochs"]].iloc[-2].tolist() == ["bonet at 80 px, phantoms", "10"]
    assert participants["mae"].tolist()[-2:] == pytest.approx([5, 1])


def test_without_the_baseline_there_is_no_row_and_no_error(
    cases: pd.DataFrame, splits: pd.DataFrame, parameters: dict[str, Any]
) -> None:
    ptl, params = predictions(cases, splits, 1.0), parameters["ptl_regression"]
    comparison, _ = compare_models(ptl, ptl, None, params)
    assert MODELS["bonet"] not in set(comparison["model"])
    methods, _ = compare_with_paper(
        comparison, ptl, pd.DataFrame({"epoch": [0]}), SETTINGS, None, "phantoms", params
    )
    assert methods["method"].str.startswith("ours").sum() == 1


def test_a_baseline_of_another_split_is_left_out_with_a_warning(
    cases: pd.DataFrame, splits: pd.DataFrame, parameters: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    ptl, params = predictions(cases, splits, 1.0), parameters["ptl_regression"]
    moved = predictions(cases, splits.assign(split=np.roll(splits["split"], 1)), 1.0)
    comparison, _ = compare_models(ptl, ptl, moved, params)
    assert MODELS["bonet"] not in set(comparison["model"])
    assert "run the pipeline bonet again" in caplog.text
    stale = {"network": "bonet at 80 px", "dataset_size": 24, "epochs": 10}
    methods, _ = compare_with_paper(
        comparison, ptl, pd.DataFrame({"epoch": [0]}), SETTINGS, stale, "phantoms", params
    )
    assert methods["method"].str.startswith("ours").sum() == 1
