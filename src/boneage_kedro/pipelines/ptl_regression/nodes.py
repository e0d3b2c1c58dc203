"""Nodes of `ptl_regression`. Torch is imported inside them, so that the CLI and kedro viz start quickly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from boneage_kedro.evaluation.metrics import compare, errors_by_age_band, guess_training_median, metric_curve
from boneage_kedro.pipelines.ptl_regression.params import Params

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

    from boneage_kedro.imaging.store import ImageStore
    from boneage_kedro.models.weights import PretrainedWeights
    from boneage_kedro.training.progress import Checkpoint
    from boneage_kedro.training.settings import PacedStage

MODELS = {
    "constant": "training median of the sex",
    "fine_tune": "fine-tuning all layers",
    "ptl": "paced transfer learning",
}
"""Names of the models in tables and figures, by their keys in metrics."""


def train_regressor(
    store: ImageStore,
    cases: pd.DataFrame,
    splits: pd.DataFrame,
    pretrained: PretrainedWeights,
    checkpoint: Checkpoint,
    params: Params,
    stages: list[PacedStage],
) -> tuple[dict[str, Tensor], dict[str, Any], pd.DataFrame]:
    """Train one network on the training part, choosing by the validation part.

    Returns:
        its weights, the settings that build it again (see `train_age_regressor`), and one row an epoch.
    """
    from boneage_kedro.training.regression import select_cohort, train_age_regressor

    labelled = select_cohort(cases, splits, params["cohort"])
    model, settings, history = train_age_regressor(store, labelled, pretrained, checkpoint, params, stages)
    return model.state_dict(), settings, pd.DataFrame(history)


def predict_cases(
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
    from boneage_kedro.training.regression import check_cohort, predict_cohort, select_cohort

    labelled = select_cohort(cases, splits, params["cohort"])
    check_cohort(labelled, settings)
    predicted = predict_cohort(store, labelled, weights, settings, params["fit"])
    return labelled[["id", "split", "sex", "bone_age_months"]].assign(predicted_months=predicted)


def compare_models(
    ptl: pd.DataFrame, fine_tune: pd.DataFrame, params: Params
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Errors on the test part, which nothing before has seen: constant guess, plain fine-tuning and PTL.

    Returns:
        one row a model and cohort, and the errors of PTL by age band and sex.
    """
    test = ptl[ptl["split"] == "test"]
    answers = {
        MODELS["constant"]: guess_training_median(ptl[ptl["split"] == "train"], test),
        MODELS["fine_tune"]: fine_tune.set_index("id").loc[test["id"], "predicted_months"].to_numpy(),
        MODELS["ptl"]: test["predicted_months"].to_numpy(),
    }
    by_band = errors_by_age_band(test, test["predicted_months"].to_numpy(), params["age_band_months"])
    return compare(test, answers, params["fit"]["seed"]), by_band


def collect_metrics(
    comparison: pd.DataFrame, ptl_history: pd.DataFrame, fine_tune_history: pd.DataFrame
) -> dict[str, Any]:
    """Curves and final figures in the form MLflow takes: name -> one or many ``{step, value}``."""
    metrics: dict[str, Any] = {}
    for strategy, history in (("ptl", ptl_history), ("fine_tune", fine_tune_history)):
        for column in ("train_loss", "train_mae_months", "validation_mae_months", "learning_rate"):
            metrics[f"{strategy}.{column}"] = metric_curve(history["epoch"], history[column])
    key_of = {name: key for key, name in MODELS.items()}
    for row in comparison.to_dict("records"):
        for figure in ("mae", "rmse", "bias"):
            metrics[f"test.{key_of[row['model']]}.{row['cohort']}.{figure}"] = {
                "step": 0,
                "value": row[figure],
            }
    return metrics


def draw_training(
    comparison: pd.DataFrame,
    ptl: pd.DataFrame,
    ptl_history: pd.DataFrame,
    fine_tune_history: pd.DataFrame,
    source: str,
) -> tuple[Figure, Figure, Figure]:
    """Learning curves, MAE bars, and predicted against read ages of the test part."""
    from boneage_kedro.evaluation.figures import learning_curves, mae_bars, predicted_against_read

    histories = {MODELS["ptl"]: ptl_history, MODELS["fine_tune"]: fine_tune_history}
    test = ptl[ptl["split"] == "test"]
    return (
        learning_curves(histories, f"Training on {source}"),
        mae_bars(comparison, f"Error on the test part, {len(test)} cases, {source}"),
        predicted_against_read(test, test["predicted_months"].to_numpy(), f"PTL on the test part, {source}"),
    )
