"""Training on a store with each option, and from an earlier run."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.torch import save_file

from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.models.regressor import AgeRegressor
from boneage_kedro.models.weights import PretrainedWeights, PretrainedWeightsMissing
from boneage_kedro.training.ages.regression import (
    map_cohort,
    new_regressor,
    predict_cohort,
    train_age_regressor,
)
from boneage_kedro.training.checkpoint import CheckpointFile
from tests.training.age_setup import FIT, HEAD, MOVES, ROBUST_OFF, regression_settings, stage, write_cohort

EXPECTATION = HEAD | {"kind": "expectation"}
STAGES = [stage("all", ["head", "exit", "middle", "entry"], 1)]
TOGETHER = dict(
    head=EXPECTATION,
    frozen_statistics="update",
    balance_band_months=24,
    augment=MOVES | ROBUST_OFF | dict(crop_probability=0.5, window_probability=0.5, noise_sd=0.02, blur_px=1),
    views=dict(flip=True, rotations_deg=[-10, 0, 10]),
    fit=dict(ema_decay=0.5, memory_format="channels_last"),
)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> tuple[ImageStore, pd.DataFrame]:
    return write_cohort(tmp_path_factory.mktemp("store"))


def train(
    cohort: Any, folder: Path, **changes: Any
) -> tuple[AgeRegressor, dict[str, Any], list[dict[str, Any]]]:
    settings = regression_settings(**changes)
    checkpoint = CheckpointFile(folder / "state.pt")
    return train_age_regressor(*cohort, PretrainedWeights(folder), checkpoint, settings, STAGES)


def test_the_last_stage_must_train_on_pictures_as_the_network_is_to_read_them(
    cohort: Any, tmp_path: Path
) -> None:
    settings, checkpoint = regression_settings(), CheckpointFile(tmp_path / "state.pt")
    stages = [*STAGES, STAGES[0] | {"name": "fine", "input_px": 48}]
    with pytest.raises(ValueError, match=r"the last stage, fine, trains on pictures of 48 px.*32 px"):
        train_age_regressor(*cohort, PretrainedWeights(tmp_path), checkpoint, settings, stages)


def test_all_options_together_train_and_predict_what_their_maps_add_up_to(
    cohort: Any, tmp_path: Path
) -> None:
    store, labelled = cohort
    model, described, history = train(cohort, tmp_path, **TOGETHER)
    assert model.config.bin_months == 10
    assert np.isfinite([record["train_loss"] for record in history]).all()
    save_file(
        model.state_dict(), tmp_path / "weights.safetensors"
    )  # a file of channels last cannot be written
    described = json.loads(json.dumps(described))
    ages = predict_cohort(store, labelled, model.state_dict(), described, FIT)
    maps, rests = map_cohort(store, labelled, model.state_dict(), described, FIT)
    np.testing.assert_allclose(maps.mean((1, 2)) + rests, ages, atol=1e-3)
    plain = described | {"views": dict(flip=False, rotations_deg=[0])}
    assert np.abs(predict_cohort(store, labelled, model.state_dict(), plain, FIT) - ages).max() > 1e-4
    before_views = {key: value for key, value in described.items() if key != "views"}
    assert np.array_equal(
        predict_cohort(store, labelled, model.state_dict(), before_views, FIT),
        predict_cohort(store, labelled, model.state_dict(), plain, FIT),
    )


def test_other_views_do_not_train_again_and_other_options_do(cohort: Any, tmp_path: Path) -> None:
    _, _, history = train(cohort, tmp_path)
    _, described, again = train(cohort, tmp_path, views=dict(flip=True, rotations_deg=[0]))
    assert again == history  # the seconds, too
    assert described["views"]["flip"]
    _, _, other = train(cohort, tmp_path, balance_band_months=60)
    assert other != history


@pytest.mark.parametrize("change", [{"memory_format": "channels_last"}, {"precision": "bf16-mixed"}])
def test_memory_format_and_precision_change_the_loss_by_rounding_alone(
    cohort: Any, tmp_path: Path, change: dict[str, str]
) -> None:
    (plain,), (other,) = (train(cohort, tmp_path, dropout=0.0, fit=fit)[2] for fit in ({}, change))
    assert other["train_loss"] != plain["train_loss"]
    assert other["train_loss"] == pytest.approx(plain["train_loss"], rel=0.02)


def test_the_loss_of_the_distribution_counts_as_much_as_asked(cohort: Any, tmp_path: Path) -> None:
    losses = [
        train(cohort, tmp_path, head=EXPECTATION | {"label_weight": weight})[2][0]["train_loss"]
        for weight in (0, 1e-6, 1)
    ]
    assert losses[0] == pytest.approx(losses[1], abs=1e-3)
    assert losses[2] > losses[0] + 0.05


def keep_run(folder: Path, name: str, model: AgeRegressor, described: dict[str, Any]) -> None:
    save_file(model.state_dict(), folder / f"{name}.safetensors")
    (folder / f"{name}.json").write_text(json.dumps(described), encoding="utf-8")


def test_a_run_is_started_from_by_name(cohort: Any, tmp_path: Path) -> None:
    store, labelled = cohort
    earlier, described, _ = train(cohort, tmp_path)
    keep_run(tmp_path, "small_pictures", earlier, described)
    settings = regression_settings(initial_weights="small_pictures")
    model, source = new_regressor(settings, 90.0, 20.0, PretrainedWeights(tmp_path))
    assert source == "run small_pictures"
    found = predict_cohort(store, labelled, model.state_dict(), {"regressor": model.config.as_dict()}, FIT)
    wanted = predict_cohort(store, labelled, earlier.state_dict(), described, FIT)
    np.testing.assert_allclose(found, wanted, atol=1e-2)
    other = regression_settings(initial_weights="small_pictures", head=EXPECTATION)
    _, source = new_regressor(other, 90.0, 20.0, PretrainedWeights(tmp_path))
    assert source == "run small_pictures, its heads left out"


def test_a_run_that_is_not_there_is_told_with_its_files(tmp_path: Path) -> None:
    settings = regression_settings(initial_weights="preraining")
    with pytest.raises(
        PretrainedWeightsMissing, match=r"no run 'preraining'.* not in .* earlier training there"
    ):
        new_regressor(settings, 90.0, 20.0, PretrainedWeights(tmp_path))
