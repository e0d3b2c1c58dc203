"""Strategies of transfer learning held against each other on equal terms (paper 001, section 3.4)."""

from collections.abc import Iterator

import pandas as pd

from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.pacing import PacingArm, PacingSettings, paced_stages, pacing_arms
from boneage_kedro.training.regression_study import train_and_predict
from boneage_kedro.training.settings import RegressionSettings
from boneage_kedro.training.study import run_cells


def run_ptl_study(
    store: ImageStore,
    cases: pd.DataFrame,
    splits: pd.DataFrame,
    pretrained: PretrainedWeights,
    settings: RegressionSettings,
    study: PacingSettings,
    checkpoint: CheckpointFile,
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Train by every strategy on every cohort with every seed; a cell that was finished is not trained again.

    Args:
        settings: what all cells share; the study overrides its cohort, schedule and seed.

    Raises:
        ValueError: as `paced_stages` and `run_cells`.

    Yields:
        after each cell the tables so far, both with ``arm, strategy, cohort, seed``: a row a case that the cell has
        not learnt from, and a row an epoch (see `train_and_predict`).
    """
    stages = {
        strategy["name"]: paced_stages(strategy, study["epochs"], study["learning_rate"])
        for strategy in study["strategies"]
    }
    histories: list[pd.DataFrame] = []

    def run(arm: PacingArm, seed: int, cell: CheckpointFile) -> pd.DataFrame:
        mine: RegressionSettings = {
            **settings,
            **study["network"],
            "cohort": arm["cohort"],
            "fit": {**settings["fit"], "schedule": "cosine_overall", "seed": seed},
        }
        predictions, history = train_and_predict(
            store, cases, splits, pretrained, mine, stages[arm["strategy"]], cell
        )
        place = {"strategy": arm["strategy"], "cohort": arm["cohort"]}
        histories.append(history.assign(**place, arm=arm["name"], seed=seed))
        return predictions.assign(**place)

    for predictions in run_cells("ptl_study", pacing_arms(study), study["seeds"], checkpoint, run):
        yield predictions, pd.concat(histories, ignore_index=True)
