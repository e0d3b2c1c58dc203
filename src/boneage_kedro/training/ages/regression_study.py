"""Age regressors held against each other on equal terms: on which pictures and cohorts, and what learns when."""

from collections.abc import Iterator, Mapping

import pandas as pd

from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.training.ages.pacing import Images, PacingArm, PacingSettings, paced_stages, pacing_arms
from boneage_kedro.training.ages.regression import select_cohort
from boneage_kedro.training.ages.regression_cell import run_regression_cell
from boneage_kedro.training.ages.settings import RegressionSettings
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.study import run_cells


def run_regression_study(
    study: str,
    stores: Mapping[Images, ImageStore],
    cases: pd.DataFrame,
    splits: pd.DataFrame,
    pretrained: PretrainedWeights,
    shared: RegressionSettings,
    settings: PacingSettings,
    checkpoint: CheckpointFile,
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Train on all pictures, by every strategy, on every cohort, with every seed.

    A cell that was finished is not trained again.

    Args:
        study: its parameter block, for messages.
        stores: the same cases in each.
        shared: what all cells have in common; the study overrides its cohort, schedule and seed.

    Raises:
        ValueError: as `paced_stages` and `run_cells`.

    Yields:
        after each cell the tables so far, both with ``arm, images, strategy, cohort, seed``: a row a case that the
        cell has not learnt from, with ``id, split, sex, bone_age_months, predicted_months``; and a row an epoch.
    """
    stages = {
        strategy["name"]: paced_stages(strategy, settings["epochs"], settings["learning_rate"], study)
        for strategy in settings["strategies"]
    }
    histories: list[pd.DataFrame] = []

    def run(arm: PacingArm, seed: int, cell: CheckpointFile) -> pd.DataFrame:
        mine: RegressionSettings = {
            **shared,
            **settings["network"],
            "cohort": arm["cohort"],
            "fit": {**shared["fit"], "schedule": "cosine_overall", "seed": seed},
        }
        store, labelled = stores[arm["images"]], select_cohort(cases, splits, arm["cohort"])
        place = {key: arm[key] for key in ("images", "strategy", "cohort")}
        ages, history = run_regression_cell(store, labelled, pretrained, mine, stages[arm["strategy"]], cell)
        histories.append(history.assign(**place, arm=arm["name"], seed=seed))
        return ages.assign(**place)

    arms = pacing_arms(settings, list(stores))
    for predictions in run_cells(study, arms, settings["seeds"], checkpoint, run):
        yield predictions, pd.concat(histories, ignore_index=True)
