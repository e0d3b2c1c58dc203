"""Age regressors held against each other: on which pictures, of which cohort, and in which stages they learn."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.regression import predict_table, select_cohort, train_age_regressor
from boneage_kedro.training.settings import PacedStage, RegressionArm, RegressionSettings
from boneage_kedro.training.study import run_cells


def run_regression_study(
    stores: Mapping[str, ImageStore],
    cases: pd.DataFrame,
    splits: pd.DataFrame,
    pretrained: PretrainedWeights,
    settings: RegressionSettings,
    stages: Mapping[str, Sequence[PacedStage]],
    arms: Sequence[RegressionArm],
    seeds: Sequence[int],
    checkpoint: CheckpointFile,
) -> Iterator[pd.DataFrame]:
    """Run every arm with every seed; a cell that was finished before is not trained again.

    Args:
        stores: what an arm's ``images`` may name.
        stages: what an arm's ``stages`` may name.

    Raises:
        ValueError: as `run_cells`.

    Yields:
        after each cell the table so far: ``arm, seed, id, split, sex, bone_age_months, predicted_months``, a row a
        case that it has not learnt from.
    """

    def run(arm: RegressionArm, seed: int, cell: CheckpointFile) -> pd.DataFrame:
        mine: RegressionSettings = {
            **settings,
            **arm.get("network", {}),
            "cohort": arm["cohort"],
            "fit": {**settings["fit"], "seed": seed},
        }
        return train_and_predict(
            stores[arm["images"]], cases, splits, pretrained, mine, stages[arm["stages"]], cell
        )[0]

    yield from run_cells("regression_study", arms, seeds, checkpoint, run)


def train_and_predict(
    store: ImageStore,
    cases: pd.DataFrame,
    splits: pd.DataFrame,
    pretrained: PretrainedWeights,
    settings: RegressionSettings,
    stages: Sequence[PacedStage],
    checkpoint: CheckpointFile,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train one regressor on its cohort and try it on the cases of the cohort that it has not learnt from.

    Returns:
        ``id, split, sex, bone_age_months, predicted_months``, a row a case; and the history, a row an epoch.
    """
    labelled = select_cohort(cases, splits, settings["cohort"])
    model, described, history = train_age_regressor(store, labelled, pretrained, checkpoint, settings, stages)
    unseen = labelled[labelled["split"] != "train"]
    return predict_table(store, unseen, model.state_dict(), described, settings["fit"]), pd.DataFrame(history)
