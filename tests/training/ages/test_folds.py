"""Networks of folds: what each learns from, what they predict together, and going on after a kill."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from boneage_kedro.models.age_ensemble import AgeEnsemble, merge
from boneage_kedro.models.regressor import AgeRegressor
from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.training.ages.folds import FoldedNetwork, deal_folds, own_settings, train_folds
from boneage_kedro.training.ages.regression import (
    build_regressor,
    check_cohort,
    map_cohort,
    new_regressor,
    predict_cohort,
    train_age_regressor,
)
from boneage_kedro.training.checkpoint import CheckpointFile
from tests.training.age_setup import FIT, network, regression_settings, stage, write_cohort

FOLDS: Any = {
    "count": 4,
    "variants": [],
    "combine": "ages",
    "straighten": False,
    "age_band_months": 48,
    "seed": 2,
}
STAGES = [stage("all", ["head", "exit", "middle", "entry"], 1)]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Any:
    store, labelled = write_cohort(tmp_path_factory.mktemp("store"))
    return store, labelled.assign(patient_id=labelled["id"])


@pytest.fixture(scope="module")
def trained(cohort: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("run")
    state = CheckpointFile(folder / "state.pt")
    return folder, train_folds(
        *cohort, PretrainedWeights(folder), state, regression_settings(), STAGES, FOLDS
    )


def test_each_case_to_learn_from_is_left_out_once_and_the_others_never(cohort: Any) -> None:
    _, labelled = cohort
    parts = deal_folds(labelled, FOLDS)
    left_out = sum((part["split"] == "validation").to_numpy().astype(int) for part in parts)
    learning = labelled["split"].isin(["train", "validation"])
    assert left_out[learning].tolist() == [1] * 16
    assert left_out[~learning].tolist() == [0] * 4
    assert all(part["id"].equals(labelled["id"]) for part in parts)


def test_the_ensemble_is_the_mean_of_its_networks(cohort: Any, trained: Any) -> None:
    store, labelled = cohort
    _, (ensemble, described, records, ages) = trained
    assert isinstance(build_regressor(ensemble.state_dict(), described), AgeEnsemble)
    assert [record["fold"] for record in records] == [1, 2, 3, 4]
    learning = labelled["split"].isin(["train", "validation"]).to_numpy()
    assert (np.isfinite(ages[learning]).sum(1) == 1).all()
    assert np.isfinite(ages[~learning]).all()
    assert np.ptp(ages[~learning], axis=1).min() > 1e-4
    together = predict_cohort(store, labelled[~learning], ensemble.state_dict(), described, FIT)
    np.testing.assert_allclose(ages[~learning].mean(1), together, atol=1e-3)
    maps, rests = map_cohort(store, labelled[~learning], ensemble.state_dict(), described, FIT)
    np.testing.assert_allclose(maps.mean((1, 2)) + rests, together, atol=1e-3)


def test_their_weights_can_be_averaged_to_one_network(cohort: Any, trained: Any) -> None:
    store, labelled = cohort
    folder, (ensemble, ensemble_described, _, ages) = trained
    settings, state = regression_settings(), CheckpointFile(folder / "state.pt")
    weights_combined = {**FOLDS, "combine": "weights"}
    one = train_folds(*cohort, PretrainedWeights(folder), state, settings, STAGES, weights_combined)
    assert isinstance(build_regressor(one.model.state_dict(), one.settings), AgeRegressor)
    for name, value in merge(ensemble).state_dict().items():
        torch.testing.assert_close(one.model.state_dict()[name], value)
    np.testing.assert_array_equal(one.ages_unseen, ages)
    merged = predict_cohort(store, labelled, one.model.state_dict(), one.settings, FIT)
    apart = predict_cohort(store, labelled, ensemble.state_dict(), ensemble_described, FIT)
    assert np.isfinite(merged).all() and np.abs(merged - apart).max() > 1e-4


def test_from_two_starts_there_is_a_network_for_each_and_ages_are_their_mean(
    cohort: Any, tmp_path: Path
) -> None:
    store, labelled = cohort
    earlier = new_regressor(regression_settings(), 100.0, 40.0, PretrainedWeights(tmp_path))[0]
    save_file(earlier.state_dict(), tmp_path / "earlier.safetensors")
    described = {"regressor": earlier.config.as_dict()}
    (tmp_path / "earlier.json").write_text(json.dumps(described), encoding="utf-8")
    state = CheckpointFile(tmp_path / "state.pt")
    inputs = *cohort, PretrainedWeights(tmp_path), state, regression_settings(), STAGES
    variants = [{"initial_weights": "random"}, {"initial_weights": "earlier"}]
    both = train_folds(*inputs, {**FOLDS, "variants": variants, "combine": "weights"})
    assert [(record["variant"], record["fold"]) for record in both.history] == [
        (variant, fold) for variant in (1, 2) for fold in (1, 2, 3, 4)
    ]
    assert both.settings["weights_from"] == "random, run earlier"
    alone = [train_folds(*inputs, {**FOLDS, "variants": [one], "combine": "weights"}) for one in variants]
    np.testing.assert_allclose(
        both.ages_unseen, np.mean([one.ages_unseen for one in alone], axis=0), atol=1e-3
    )
    rest = labelled[~labelled["split"].isin(["train", "validation"])]
    ages, first, second = (
        predict_cohort(store, rest, one.model.state_dict(), one.settings, FIT) for one in (both, *alone)
    )
    np.testing.assert_allclose(ages, (first + second) / 2, atol=1e-3)
    assert np.abs(first - second).max() > 1e-3


def test_weights_of_variants_that_began_alike_are_averaged(cohort: Any, tmp_path: Path) -> None:
    store, labelled = cohort
    pretrained, settings = PretrainedWeights(tmp_path), regression_settings()
    sharp, blurred = {}, {"augment": {"blur_px": 1.5}}

    def train(name: str, *variants: Any) -> FoldedNetwork:
        folds = {**FOLDS, "variants": list(variants), "combine": "weights"}
        return train_folds(*cohort, pretrained, CheckpointFile(tmp_path / name), settings, STAGES, folds)

    both, first, second = (
        train("both.pt", sharp, blurred),
        train("sharp.pt", sharp),
        train("blurred.pt", blurred),
    )
    assert isinstance(both.model, AgeRegressor)
    assert both.settings["folds"]["variants"] == [sharp, blurred]
    for name, value in both.model.state_dict().items():
        alone = torch.stack([one.model.state_dict()[name].double() for one in (first, second)])
        torch.testing.assert_close(value.double(), alone.mean(0), rtol=1e-4, atol=1e-6)
    assert not torch.equal(first.model.head.weight, second.model.head.weight)
    # of a fold alone, too: the mean of its two networks reads the children that both went without
    part = deal_folds(labelled, FOLDS)[0]
    alike = [
        train_age_regressor(
            store, part, pretrained, CheckpointFile(tmp_path / "x.pt"), own_settings(settings, one, 1), STAGES
        )[0]
        for one in (sharp, blurred)
    ]
    merged = merge(AgeEnsemble(alike))
    new = part["split"] != "train"
    ages = predict_cohort(store, part[new], merged.state_dict(), first.settings, FIT)
    np.testing.assert_allclose(both.ages_unseen[new, 0], ages, atol=1e-3)


def test_ages_can_be_straightened_by_those_of_cases_gone_without(tmp_path: Path) -> None:
    store, labelled = write_cohort(tmp_path / "store", 40)
    labelled = labelled.assign(patient_id=labelled["id"])
    stages = [stage("all", ["head", "exit", "middle", "entry"], 6)]  # less says nothing of ages
    state = CheckpointFile(tmp_path / "state.pt")
    inputs = store, labelled, PretrainedWeights(tmp_path), state, regression_settings(), stages
    bent, straight, merged, straight_merged = (
        train_folds(*inputs, {**FOLDS, "count": 2, "combine": combine, "straighten": straighten})
        for combine, straighten in (("ages", False), ("ages", True), ("weights", False), ("weights", True))
    )
    seen = np.isfinite(bent.ages_unseen)
    slope, intercept = np.polyfit(bent.ages_unseen[seen], straight.ages_unseen[seen], 1)
    assert abs(slope - 1) > 0.01
    for before, after in ((bent, straight), (merged, straight_merged)):
        np.testing.assert_allclose(after.ages_unseen, intercept + slope * before.ages_unseen, atol=1e-6)
        as_it_was, now = (
            predict_cohort(store, labelled, one.model.state_dict(), one.settings, FIT)
            for one in (before, after)
        )
        np.testing.assert_allclose(now, intercept + slope * as_it_was, atol=1e-3)
    learning = labelled["split"] != "test"
    read = labelled.loc[learning, ["bone_age_months"]].to_numpy()
    off_before, off = (abs(np.nanmedian(one.ages_unseen[learning] - read)) for one in (bent, straight))
    assert off < min(1e-6, off_before)


def test_an_expectation_head_takes_no_line() -> None:
    with pytest.raises(ValueError, match=r"head\.kind to linear"):
        network(bin_months=12).straighten(0, 1)


def test_a_network_of_a_fold_has_learnt_from_the_others_alone(cohort: Any, tmp_path: Path) -> None:
    store, labelled = cohort
    first = deal_folds(labelled, FOLDS)[0]
    changed = labelled.copy()
    own = (first["split"] == "validation").to_numpy()
    changed.loc[own, "bone_age_months"] += 30
    state = CheckpointFile(tmp_path / "state.pt")
    folds = {**FOLDS, "age_band_months": 500}  # in which band a case lies is not to matter
    runs = [
        train_folds(store, table, PretrainedWeights(tmp_path), state, regression_settings(), STAGES, folds)
        for table in (labelled, changed)
    ]
    before, after = (run[0].regressors for run in runs)
    same = [
        all(torch.equal(a, b) for a, b in zip(x.parameters(), y.parameters(), strict=True))
        for x, y in zip(before, after, strict=True)
    ]
    folds_touched = [
        bool(own[(part["split"] == "train").to_numpy()].any()) for part in deal_folds(labelled, folds)
    ]
    assert same == [not touched for touched in folds_touched]


def test_finished_folds_are_not_trained_again(cohort: Any, trained: Any) -> None:
    folder, (_, _, records, _) = trained
    state = CheckpointFile(folder / "state.pt")
    inputs = *cohort, PretrainedWeights(folder), state, regression_settings(), STAGES
    again = train_folds(*inputs, FOLDS)[2]
    assert again == records  # the seconds, too
    state.beside("fold_2_1").remove()
    once_more = train_folds(*inputs, FOLDS)[2]
    assert [a["seconds"] == b["seconds"] for a, b in zip(once_more, records, strict=True)] == [
        True,
        False,
        True,
        True,
    ]
    assert [a["train_loss"] for a in once_more] == [b["train_loss"] for b in records]


def test_it_belongs_to_the_labels_and_the_split_of_all(cohort: Any, trained: Any) -> None:
    _, labelled = cohort
    _, (_, described, _, _) = trained
    check_cohort(labelled, described)
    with pytest.raises(ValueError, match="labels or split have changed"):
        check_cohort(labelled.assign(split="train"), described)
    ages = labelled.loc[labelled["split"].isin(["train", "validation"]), "bone_age_months"]
    assert described["age_range_months"] == [ages.min(), ages.max()]


def test_one_network_alone_is_as_before(cohort: Any, tmp_path: Path) -> None:
    store, labelled = cohort
    state = CheckpointFile(tmp_path / "state.pt")
    _, described, _ = train_age_regressor(
        store, labelled, PretrainedWeights(tmp_path), state, regression_settings(), STAGES
    )
    assert "members" not in described
