"""Strategies on pictures of cohorts over seeds: on equal terms, and through kills."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.training.ages.pacing import Images, PacingSettings, Strategy
from boneage_kedro.training.ages.regression_study import run_regression_study
from boneage_kedro.training.checkpoint import CheckpointFile
from tests.training.age_setup import regression_settings, write_cohort
from tests.training.killing import Killed, KillingFile

EPOCHS = 3
SAVES_OF_A_CELL = EPOCHS + 2  # every epoch, the end, and what came of it
STUDY = PacingSettings(
    strategies=[
        Strategy(name="all layers", learns_after={"head": 0, "exit": 0, "middle": 0, "entry": 0}),
        Strategy(name="PTL", learns_after={"head": 0, "exit": 0.34, "middle": 0.67, "entry": 0.67}),
    ],
    cohorts=["all", "F"],
    seeds=[1, 2],
    epochs=EPOCHS,
    learning_rate=1e-3,
    network={"dropout": 0.0},
)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return write_cohort(tmp_path_factory.mktemp("store"))


def study(
    cohort: Any, checkpoint: CheckpointFile, images: tuple[Images, ...] = ("whole",), **changes: Any
) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """What it yields, the tables of cases and of epochs."""
    store, labelled = cohort
    cases, splits = labelled.drop(columns="split"), labelled[["id", "split"]]
    chosen = PacingSettings(**{**STUDY, **changes})
    settings = regression_settings({"schedule": "constant", "seed": 99})
    pretrained = PretrainedWeights(checkpoint.path.parent)
    stores = dict.fromkeys(images, store)
    return list(
        run_regression_study("ptl_study", stores, cases, splits, pretrained, settings, chosen, checkpoint)
    )


@pytest.fixture(scope="module")
def unbroken(cohort: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, pd.DataFrame]:
    return study(cohort, CheckpointFile(tmp_path_factory.mktemp("unbroken") / "study.pt"))[-1]


def test_every_strategy_has_the_same_epochs_and_in_each_the_same_rate(
    unbroken: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    _, history = unbroken
    rates = history.pivot_table(index="epoch", columns=["strategy", "cohort", "seed"], values="learning_rate")
    assert rates.shape == (EPOCHS, 8)
    assert rates.iloc[:, 0].tolist() == pytest.approx([1e-3, 0.75e-3, 0.25e-3])
    assert rates.eq(rates.iloc[:, 0], axis=0).all(axis=None)
    paced = history.query("strategy == 'PTL' and cohort == 'F' and seed == 2")
    assert paced["stage"].tolist() == ["head", "exit", "middle+entry"]


def test_each_cell_is_tried_on_the_cases_of_its_cohort_that_it_has_not_learnt_from(
    unbroken: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    predictions, _ = unbroken
    assert predictions.groupby(["strategy", "cohort", "seed"], sort=False).size().tolist() == [8, 8, 4, 4] * 2
    assert set(predictions["split"]) == {"validation", "test"}
    assert set(predictions.loc[predictions["cohort"] == "F", "sex"]) == {"F"}
    by_cell = predictions.pivot_table(
        index="id", columns=["strategy", "cohort", "seed"], values="predicted_months"
    )
    assert not by_cell.T.duplicated().any()  # no two networks are the same


@pytest.mark.parametrize("saves", [2, SAVES_OF_A_CELL, SAVES_OF_A_CELL + 1, 3 * SAVES_OF_A_CELL - 1])
def test_a_killed_study_goes_on_inside_its_cell_and_ends_with_the_same_tables(
    cohort: Any, tmp_path: Path, unbroken: tuple[pd.DataFrame, pd.DataFrame], saves: int
) -> None:
    KillingFile.saves_left = [saves]
    with pytest.raises(Killed):
        study(cohort, KillingFile(tmp_path / "study.pt"))
    KillingFile.saves_left = [-1]
    predictions, history = study(cohort, KillingFile(tmp_path / "study.pt"))[-1]
    assert -1 - KillingFile.saves_left[0] == 8 * SAVES_OF_A_CELL - saves  # no epoch was done twice
    pd.testing.assert_frame_equal(predictions, unbroken[0])
    pd.testing.assert_frame_equal(history.drop(columns="seconds"), unbroken[1].drop(columns="seconds"))


def test_finished_cells_are_not_run_again_when_more_are_asked_for(cohort: Any, tmp_path: Path) -> None:
    checkpoint = CheckpointFile(tmp_path / "study.pt")
    (_, first), _ = study(cohort, checkpoint, cohorts=["all"], seeds=[1])
    grown = study(cohort, checkpoint, cohorts=["all"], seeds=[1, 2])
    assert [len(history) for _, history in grown] == [EPOCHS, 2 * EPOCHS, 3 * EPOCHS, 4 * EPOCHS]
    pd.testing.assert_frame_equal(grown[0][1], first)  # the seconds, too


def test_a_strategy_that_cannot_be_is_refused_before_anything_is_trained(cohort: Any, tmp_path: Path) -> None:
    late = Strategy(name="late", learns_after={"head": 0, "exit": 1})
    with pytest.raises(ValueError, match=r"ptl_study\.strategies: of late the blocks begin"):
        study(cohort, CheckpointFile(tmp_path / "study.pt"), strategies=[*STUDY["strategies"], late])
    with pytest.raises(ValueError, match="ptl_study needs arms of different names"):
        study(cohort, CheckpointFile(tmp_path / "study.pt"), cohorts=["all", "all"])
    assert not list(tmp_path.iterdir())


def test_other_pictures_are_cells_of_their_own_and_leave_those_that_are_trained(
    cohort: Any, tmp_path: Path
) -> None:
    checkpoint = CheckpointFile(tmp_path / "study.pt")
    (before, _), _ = study(cohort, checkpoint, cohorts=["F"], seeds=[1])
    grown = study(cohort, checkpoint, ("whole", "hand"), cohorts=["F"], seeds=[1])
    assert len(grown) == 4
    predictions, history = grown[-1]
    for table in (predictions, history):
        names = table[["arm", "images", "strategy", "cohort"]].drop_duplicates()
        assert names.values.tolist() == [
            ["all layers, F", "whole", "all layers", "F"],
            ["PTL, F", "whole", "PTL", "F"],
            ["all layers, F, hand", "hand", "all layers", "F"],
            ["PTL, F, hand", "hand", "PTL", "F"],
        ]
    pd.testing.assert_frame_equal(grown[0][0], before)
    of_images = predictions.pivot_table(index=["strategy", "id"], columns="images", values="predicted_months")
    assert (of_images["hand"] == of_images["whole"]).all()  # the same pictures here, on equal terms
