"""A network of a study: trained once, and kept as the ages that it reads, not as weights."""

from collections.abc import Sequence
from typing import Any, cast

import pandas as pd

from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.models.weights import PretrainedWeights, fingerprint_weights
from boneage_kedro.provenance import fingerprint, fingerprint_code
from boneage_kedro.training.ages.regression import (
    CODE,
    fingerprint_cohort,
    new_regressor,
    predict_table,
    train_age_regressor,
)
from boneage_kedro.training.ages.settings import PacedStage, RegressionSettings
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.study import run_once


def run_regression_cell(
    store: ImageStore,
    labelled: pd.DataFrame,
    pretrained: PretrainedWeights,
    settings: RegressionSettings,
    stages: Sequence[PacedStage],
    cell: CheckpointFile,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train a network, unless that was done with the same pictures, cases, settings and code.

    Args:
        settings: a larger block of parameters may have others beside them, which do not count.

    Returns:
        ages of the cases that it has not learnt from, as of `predict_table`; and a row an epoch.
    """
    own = _regression(settings)

    def run() -> tuple[pd.DataFrame, pd.DataFrame]:
        model, described, history = train_age_regressor(store, labelled, pretrained, cell, own, stages)
        unseen = labelled[labelled["split"] != "train"]
        ages = predict_table(store, unseen, model.state_dict(), described, own["fit"])
        return ages, pd.DataFrame(history)

    start, _ = new_regressor(own, 0.0, 1.0, pretrained)
    named = fingerprint(
        store.fingerprint(labelled["id"].tolist()),
        fingerprint_cohort(labelled),
        fingerprint_weights(start.state_dict()),
        own,
        list(stages),
        fingerprint_code(*CODE),
    )
    ages, history = run_once(cell, named, run)
    return ages, history


def _regression(settings: RegressionSettings) -> RegressionSettings:
    values = cast(dict[str, Any], settings)
    return cast(RegressionSettings, {key: values[key] for key in RegressionSettings.__required_keys__})
