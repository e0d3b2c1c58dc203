"""The questions of paper 003: from scratch or not, and with the deformation layer or not, by cross-validation."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import pandas as pd

from boneage_kedro.cohort.splits import Split, cross_validation_splits
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.models.weights import PretrainedWeights, fingerprint_weights
from boneage_kedro.provenance import fingerprint, fingerprint_code
from boneage_kedro.training.ages.regression import (
    CODE,
    fingerprint_cohort,
    new_regressor,
    predict_table,
    select_cohort,
    train_age_regressor,
)
from boneage_kedro.training.ages.settings import BonetArm, CrossValidation, PacedStage, RegressionSettings
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.study import run_cells, run_once


def run_bonet_study(
    store: ImageStore,
    cases: pd.DataFrame,
    splits: pd.DataFrame,
    pretrained: PretrainedWeights,
    settings: RegressionSettings,
    stage: PacedStage,
    arms: Sequence[BonetArm],
    cross_validation: CrossValidation,
    checkpoint: CheckpointFile,
) -> Iterator[pd.DataFrame]:
    """Train every arm on every fold; a cell that was finished before is not trained again.

    Args:
        settings: of the network and its training, but for what an arm changes.
        stage: how long and how fast all arms learn; its ``free`` is that of each arm.

    Raises:
        ValueError: as `run_cells` and `cross_validation_splits`.

    Yields:
        after each cell the table so far: ``arm, fold, id, split, sex, bone_age_months, predicted_months``, a row a
        case of the fold, whose split is ``validation``, and of the test part.
    """
    folds = cross_validation_splits(
        cases,
        splits,
        cross_validation["folds"],
        cross_validation["age_band_months"],
        cross_validation["seed"],
    )

    def run(arm: BonetArm, fold: int, cell: CheckpointFile) -> pd.DataFrame:
        mine: RegressionSettings = {**_regression(settings), **arm["network"]}
        labelled = select_cohort(cases, folds[fold - 1], mine["cohort"])
        stages: list[PacedStage] = [{**stage, "free": arm["free"]}]
        named = _fingerprint_cell(store, labelled, pretrained, mine, stages)
        return run_once(cell, named, lambda: _run_cell(store, labelled, pretrained, mine, stages, cell))

    yield from run_cells("bonet", arms, range(1, len(folds) + 1), checkpoint, run, "fold")


def _run_cell(
    store: ImageStore,
    labelled: pd.DataFrame,
    pretrained: PretrainedWeights,
    settings: RegressionSettings,
    stages: Sequence[PacedStage],
    cell: CheckpointFile,
) -> pd.DataFrame:
    model, described, _ = train_age_regressor(store, labelled, pretrained, cell, settings, stages)
    unseen = labelled[labelled["split"].isin([Split.VALIDATION, Split.TEST])]
    return predict_table(store, unseen, model.state_dict(), described, settings["fit"])


def _fingerprint_cell(
    store: ImageStore,
    labelled: pd.DataFrame,
    pretrained: PretrainedWeights,
    settings: RegressionSettings,
    stages: Sequence[PacedStage],
) -> str:
    """Names all that the ages of a cell depend on."""
    start, _ = new_regressor(settings, 0.0, 1.0, pretrained)
    return fingerprint(
        store.fingerprint(labelled["id"].tolist()),
        fingerprint_cohort(labelled),
        fingerprint_weights(start.state_dict()),
        settings,
        stages,
        fingerprint_code(*CODE),
    )


def _regression(settings: RegressionSettings) -> RegressionSettings:
    """Without what a larger block of parameters has beside them: another arm must not train the others again."""
    values = cast(dict[str, Any], settings)
    return cast(RegressionSettings, {key: values[key] for key in RegressionSettings.__required_keys__})
