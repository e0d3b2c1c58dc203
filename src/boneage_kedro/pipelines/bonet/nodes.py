"""Nodes of `bonet`. Torch is imported inside them, so that the CLI and kedro viz start quickly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from boneage_kedro.evaluation.ages.error_groups import errors_by_group
from boneage_kedro.evaluation.ages.metrics import age_errors, final_metrics, metric_name
from boneage_kedro.evaluation.studies.study import check_cells, compare_arms
from boneage_kedro.pipelines.bonet.params import Params

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

    from boneage_kedro.imaging.store import ImageStore
    from boneage_kedro.models.weights import PretrainedWeights
    from boneage_kedro.training.checkpoint import CheckpointFile
    from boneage_kedro.training.progress import Checkpoint


def train_bonet(
    store: ImageStore,
    cases: pd.DataFrame,
    splits: pd.DataFrame,
    pretrained: PretrainedWeights,
    checkpoint: Checkpoint,
    params: Params,
) -> tuple[dict[str, Tensor], dict[str, Any], pd.DataFrame]:
    """Train the baseline on the training part, choosing by the validation part.

    Returns:
        its weights, the settings that build it again (see `train_age_regressor`), and one row an epoch.
    """
    from boneage_kedro.training.ages.regression import select_cohort, train_age_regressor

    labelled = select_cohort(cases, splits, params["cohort"])
    model, settings, history = train_age_regressor(
        store, labelled, pretrained, checkpoint, params, [params["stage"]]
    )
    return model.state_dict(), settings, pd.DataFrame(history)


def predict_by_bonet(
    store: ImageStore,
    cases: pd.DataFrame,
    splits: pd.DataFrame,
    weights: dict[str, Tensor],
    settings: dict[str, Any],
    params: Params,
) -> pd.DataFrame:
    """Predict every case of the cohort.

    Returns:
        ``id, split, sex, bone_age_months, predicted_months``, sorted by id.

    Raises:
        ValueError: labels or split are not those the network was trained on.
    """
    from boneage_kedro.training.ages.regression import check_cohort, predict_table, select_cohort

    labelled = select_cohort(cases, splits, params["cohort"])
    check_cohort(labelled, settings, "bonet")
    return predict_table(store, labelled, weights, settings, params["fit"])


def describe_bonet(predictions: pd.DataFrame, history: pd.DataFrame, params: Params) -> dict[str, Any]:
    """What the row of the baseline in the tables of paper 001 says beside its errors."""
    return {
        "network": f"{params['backbone']} at {params['input_px']} px",
        "dataset_size": len(predictions),
        "epochs": int(history["epoch"].nunique()),
    }


def run_bonet_arms(
    store: ImageStore,
    cases: pd.DataFrame,
    splits: pd.DataFrame,
    pretrained: PretrainedWeights,
    checkpoint: CheckpointFile,
    params: Params,
) -> Iterator[pd.DataFrame]:
    """Train a network by every arm on every fold.

    Yields:
        after each the table so far (see `boneage_kedro.training.ages.bonet_study.run_bonet_study`).
    """
    from boneage_kedro.training.ages.bonet_study import run_bonet_study

    yield from run_bonet_study(
        store,
        cases,
        splits,
        pretrained,
        params,
        params["stage"],
        params["arms"],
        params["cross_validation"],
        checkpoint,
    )


def summarise_bonet_arms(
    table: pd.DataFrame, cases: pd.DataFrame, params: Params
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Errors of the arms, by cross-validation (``validation``) and on the test part, with the spread over folds.

    Returns:
        a row an arm and part, with the paired difference from the first arm (see `compare_arms`); and the same by
        age range, sex, and race where the cases have it (see `errors_by_group`).

    Raises:
        ValueError: arms or folds are missing, since the study was interrupted.
    """
    folds = range(1, params["cross_validation"]["folds"] + 1)
    check_cells(table, params["arms"], folds, "run_bonet_arms", "fold")
    if "race" in cases:
        table = table.merge(cases[["id", "race"]], on="id", validate="many_to_one")
    by_group = errors_by_group(table, params["age_band_months"], "fold")
    return compare_arms(table, params["fit"]["seed"], "fold"), by_group


def draw_bonet_arms(summary: pd.DataFrame, by_group: pd.DataFrame, source: str) -> tuple[Figure, Figure]:
    """Bars of the arms' errors on the test part, and the same errors by age range, sex and race."""
    from boneage_kedro.evaluation.figures import arm_bars
    from boneage_kedro.evaluation.studies.group_figures import group_errors

    test, groups = (table[table["split"] == "test"] for table in (summary, by_group))
    title = f"Error on the test part, {test['cases'].max()} cases, {source}"
    return arm_bars(test, title, "fold"), group_errors(groups, title)


def collect_bonet_arms(summary: pd.DataFrame, predictions: pd.DataFrame) -> dict[str, Any]:
    """Errors of the arms and of the baseline in the form MLflow takes."""
    rows = summary.to_dict("records")
    of_arms = {
        metric_name(row["split"], row["arm"], figure): row[figure]
        for row in rows
        for figure in ("mae", "mae_sd")
    }
    test = predictions[predictions["split"] == "test"]
    of_baseline = age_errors(test["bone_age_months"].to_numpy(), test["predicted_months"].to_numpy())
    return final_metrics(of_arms | {"test.baseline.mae": of_baseline["mae"]})
