"""Presets, training on outlines, and what becomes of a bone or a forearm that is not there."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.forearm.presets import pick_preset, settings_of
from boneage_kedro.training.forearm.study import run_forearm_study
from boneage_kedro.training.forearm.training import predict_forearms, score_on_test, train_forearm_segmenter
from boneage_kedro.training.segmentation.lesson import MaskedData

from ..squares import SIDE, square_splits, square_store


@pytest.fixture
def presets(parameters: dict[str, Any]) -> dict[str, Any]:
    mine = parameters["dru_segmentation"]["presets"]
    mine["modern"]["stages"] = [{"name": "all", "learning_rate": 0.01, "max_epochs": 8, "patience": 8}]
    mine["modern"]["network"] |= {"width": 4, "depth": 2}
    return mine


@pytest.fixture
def data(tmp_path: Path) -> MaskedData:
    """Squares, which are called radius; there is no ulna."""
    store, masks = square_store(tmp_path / "store", 16)
    splits = square_splits(16, 3, 3)
    test = {key: masks[key] for key in splits.loc[splits["split"] == "test", "id"]}
    return MaskedData(store, splits, masks, test, 3, PretrainedWeights(tmp_path))


def train(data: MaskedData, presets: dict[str, Any], labelled: int, folder: Path):
    network, stages = settings_of(presets["modern"], SIDE, {})
    return train_forearm_segmenter(data, network, stages, labelled, CheckpointFile(folder / "c.pt"))


def test_a_rate_for_a_summed_loss_is_brought_to_a_mean(presets: dict[str, Any]) -> None:
    network, (stage,) = settings_of(presets["paper"], 256, {"architecture": "fcn2s"})
    assert stage["learning_rate"] == pytest.approx(1e-8 * 256**2)
    assert network["fit"]["weight_decay"] == pytest.approx(5e-4 / 256**2)
    assert (network["architecture"], network["input_px"]) == ("fcn2s", 256)
    assert presets["paper"]["network"]["fit"]["weight_decay"] == 5e-4  # the preset is as it was
    assert stage["max_epochs"] * network["epoch_samples"] / network["fit"]["batch_size"] == 20_000


def test_a_rate_for_a_mean_stays_and_the_seed_may_be_another(presets: dict[str, Any]) -> None:
    network, stages = settings_of(presets["modern"], SIDE, {}, seed=7)
    assert list(stages) == presets["modern"]["stages"]
    assert network["fit"]["seed"] == 7


def test_a_preset_that_does_not_exist_is_told_with_those_that_do(presets: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"dru_segmentation\.preset is 'papr'.*modern, paper, fcn"):
        pick_preset(presets, "papr", "dru_segmentation.preset")


def test_it_learns_and_an_absent_bone_is_rightly_absent(
    data: MaskedData, presets: dict[str, Any], tmp_path: Path
) -> None:
    model, described, history = train(data, presets, 0, tmp_path)
    assert history["iteration"].tolist() == [6 * (i + 1) for i in range(8)]  # 24 pictures in batches of 4
    assert history["validation_iou_radius"].max() > 0.8 > history["validation_iou_radius"].iloc[0]
    assert history["validation_loss"].iloc[-1] < history["validation_loss"].iloc[0]
    assert set(history["labels"]) == {10}
    scores = score_on_test(model, data.images, data.images, data.test, presets["modern"]["network"]["fit"])
    assert scores["test_iou_radius"] > 0.8
    assert described["input_px"] == SIDE


def test_fewer_labels_are_learnt_from_when_asked(
    data: MaskedData, presets: dict[str, Any], tmp_path: Path
) -> None:
    presets["modern"]["stages"][0]["max_epochs"] = 1
    _, _, history = train(data, presets, 4, tmp_path)
    assert set(history["labels"]) == {4}
    with pytest.raises(ValueError, match=r"11 labelled pictures are asked for .*10 of the training part"):
        train(data, presets, 11, tmp_path)


def test_where_no_forearm_was_cut_out_the_mask_is_empty_and_counts_as_missed(
    data: MaskedData, presets: dict[str, Any], tmp_path: Path
) -> None:
    presets["modern"]["stages"][0]["max_epochs"] = 1
    model, _, _ = train(data, presets, 0, tmp_path)
    fit = presets["modern"]["network"]["fit"]
    nothing, _ = square_store(tmp_path / "empty", 0)
    found = dict(predict_forearms(model, data.images, nothing, list(data.test), fit))
    assert all(mask.shape == (SIDE, SIDE) and not mask.any() for mask in found.values())
    scores = score_on_test(model, data.images, nothing, data.test, fit)
    assert scores["test_iou_radius"] == scores["test_recall_radius"] == 0


def test_a_study_scores_each_cell_once_and_goes_on_where_it_was(
    data: MaskedData, presets: dict[str, Any], tmp_path: Path
) -> None:
    presets["modern"]["stages"][0]["max_epochs"] = 2
    arms = [
        {"name": "modern", "preset": "modern", "labelled": 0},
        {"name": "few", "preset": "modern", "labelled": 3, "network": {"width": 2}},
    ]
    checkpoint = CheckpointFile(tmp_path / "study.pt")
    *_, table = run_forearm_study(data, data.images, presets, SIDE, arms, [1, 2], checkpoint)
    scored = table.dropna(subset=["test_iou_radius"])
    assert scored[["arm", "seed", "labels"]].to_numpy().tolist() == [
        ["modern", 1, 10],
        ["few", 1, 3],
        ["modern", 2, 10],
        ["few", 2, 3],
    ]
    assert scored["epoch"].tolist() == [1] * 4
    *_, again = run_forearm_study(data, data.images, presets, SIDE, arms, [1, 2], checkpoint)
    np.testing.assert_array_equal(again["train_loss"], table["train_loss"])
    with pytest.raises(ValueError, match=r"preset of the arm x of dru_study\.arms is 'y'"):
        next(
            run_forearm_study(
                data, data.images, presets, SIDE, [{"name": "x", "preset": "y"}], [1], checkpoint
            )
        )
