"""The questions of paper 003: from scratch or not, and with the deformation layer or not, by cross-validation."""

from collections.abc import Iterator, Sequence

import pandas as pd

from boneage_kedro.cohort.splits import Split, cross_validation_splits
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.training.ages.regression import select_cohort
from boneage_kedro.training.ages.regression_cell import run_regression_cell
from boneage_kedro.training.ages.settings import BonetArm, CrossValidation, PacedStage, RegressionSettings
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.study import run_cells


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
        mine: RegressionSettings = {**settings, **arm["network"]}
        labelled = select_cohort(cases, folds[fold - 1], mine["cohort"])
        stages: list[PacedStage] = [{**stage, "free": arm["free"]}]
        ages, _ = run_regression_cell(store, labelled, pretrained, mine, stages, cell)
        return ages[ages["split"].isin([Split.VALIDATION, Split.TEST])]

    yield from run_cells("bonet", arms, range(1, len(folds) + 1), checkpoint, run, "fold")
