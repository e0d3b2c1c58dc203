"""Nodes of `ptl_regression`. Torch is imported inside them, so that the CLI and kedro viz start quickly."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from boneage_kedro.evaluation.ages.agreement import agreement_by_sex
from boneage_kedro.evaluation.ages.coverage import interval_coverage
from boneage_kedro.evaluation.ages.fold_intervals import MEMBER_COLUMNS, calibrate_network
from boneage_kedro.evaluation.ages.metrics import (
    compare,
    errors_by_age_band,
    final_metrics,
    guess_training_median,
    metric_curve,
)
from boneage_kedro.evaluation.ages.paper_tables import OurMethod, methods_table, participants_table
from boneage_kedro.pipelines.ptl_regression.params import Params

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

    from boneage_kedro.imaging.store import ImageStore
    from boneage_kedro.models.weights import PretrainedWeights
    from boneage_kedro.training.ages.settings import PacedStage
    from boneage_kedro.training.checkpoint import CheckpointFile

logger = logging.getLogger(__name__)

MODELS = {
    "constant": "training median of the sex",
    "bonet": "BoNet from scratch",
    "fine_tune": "fine-tuning all layers",
    "ptl": "paced transfer learning",
}
"""Names of the models in tables and figures, by their keys in metrics."""


def train_regressor(
    store: ImageStore,
    cases: pd.DataFrame,
    splits: pd.DataFrame,
    pretrained: PretrainedWeights,
    checkpoint: CheckpointFile,
    source: str,
    params: Params,
    stages: list[PacedStage],
) -> tuple[dict[str, Tensor], dict[str, Any], pd.DataFrame, pd.DataFrame]:
    """Train one network on the training part, choosing by the validation part, or one for each fold of both.

    Args:
        source: where the radiographs come from.

    Returns:
        its weights, `halved`; the settings that build it again (see `train_age_regressor` and `train_folds`) with the
        ``images`` that it reads and the ``data`` that it has learnt from, its start's among them; one row an epoch,
        with ``variant`` and ``fold``; and the ages by the networks of each fold, by ``id``, empty where they have
        learnt from the case, without such columns if there are no folds.
    """
    from boneage_kedro.models.weights import halved
    from boneage_kedro.training.ages.folds import train_folds
    from boneage_kedro.training.ages.regression import select_cohort, train_age_regressor

    labelled = select_cohort(cases, splits, params["cohort"])
    inputs = store, labelled, pretrained, checkpoint, params, stages
    data = data_learnt_from(labelled, source, pretrained, params)
    added = {"images": params["images"], "data": data}
    if params["folds"]["count"]:
        network, settings, history, ages = train_folds(*inputs, params["folds"])
        by_fold = {MEMBER_COLUMNS.format(number): column for number, column in enumerate(ages.T, start=1)}
        unseen = labelled[["id"]].assign(**by_fold)
        return halved(network.state_dict()), settings | added, pd.DataFrame(history), unseen
    only, settings, history = train_age_regressor(*inputs)
    table = pd.DataFrame(history).assign(variant=1, fold=1)
    return halved(only.state_dict()), settings | added, table, labelled[["id"]]


def data_learnt_from(
    labelled: pd.DataFrame, source: str, pretrained: PretrainedWeights, params: Params
) -> list[dict[str, Any]]:
    """``source`` and number of ``radiographs`` of this training, and of those before it that its networks go on from.

    Of those before it a source comes once, with the most that one of them has learnt from: another training on it
    will have had the same ones.

    Args:
        labelled: all cases of the cohort, with ``split``.
        source: where their radiographs come from.
    """
    parts = ["train", "validation"] if params["folds"]["count"] else ["train"]
    own = {"source": source, "radiographs": int(labelled["split"].isin(parts).sum())}
    variants = params["folds"]["variants"] if params["folds"]["count"] else []
    starts = [variant.get("initial_weights", params["initial_weights"]) for variant in variants or [{}]]
    earlier: dict[str, int] = {}
    for start in dict.fromkeys(starts):
        data = [] if start in {"random", "pretrained"} else pretrained.read_run(start)[1].get("data", [])
        for one in data:
            earlier[one["source"]] = max(one["radiographs"], earlier.get(one["source"], 0))
    return [own, *({"source": name, "radiographs": count} for name, count in earlier.items())]


def predict_cases(
    store: ImageStore,
    cases: pd.DataFrame,
    splits: pd.DataFrame,
    weights: dict[str, Tensor],
    settings: dict[str, Any],
    ages_unseen: pd.DataFrame,
    params: Params,
) -> pd.DataFrame:
    """Predict every case of the cohort.

    A case of a fold has the age by the network that went without it, as the others have learnt from it.

    Args:
        ages_unseen: by the networks of folds (see `train_regressor`).

    Returns:
        ``id, split, sex, bone_age_months, predicted_months``, sorted by id, and the ages by the networks of folds.

    Raises:
        ValueError: labels, split or pictures are not those the network was trained on.
    """
    from boneage_kedro.training.ages.regression import (
        PREDICTION_KEYS,
        check_cohort,
        check_pictures,
        predict_table,
        select_cohort,
    )

    labelled = select_cohort(cases, splits, params["cohort"])
    check_cohort(labelled, settings)
    check_pictures(store, labelled["id"].tolist(), settings)
    by_fold = ages_unseen.set_index("id")
    of_fold = labelled["split"].isin(["train", "validation"]) & (by_fold.shape[1] > 0)
    read = predict_table(store, labelled[~of_fold], weights, settings, params["fit"]).set_index("id")
    kept = by_fold.loc[labelled.loc[of_fold, "id"]].mean(axis=1)
    months = labelled["id"].map(pd.concat([read["predicted_months"], kept]))
    table = labelled[PREDICTION_KEYS].assign(predicted_months=months)
    return table.merge(ages_unseen, on="id", validate="one_to_one")


def calibrate_ages(
    predictions: pd.DataFrame, weights: dict[str, Tensor], settings: dict[str, Any], params: Params
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Learn how wide intervals must be from cases that were not learnt from, and make those of the test part.

    Returns:
        the calibration as plain values, with the ``network`` that it belongs to; and the predictions of the test
        part with ``lower_months`` and ``upper_months``.

    Raises:
        ValueError: there are too few cases for the coverage that ``intervals`` asks for.
    """
    from boneage_kedro.reading.reliability import fingerprint_network

    calibration = calibrate_network(predictions, params["intervals"])
    test = predictions[predictions["split"] == "test"].reset_index(drop=True)
    lower, upper = calibration.interval(test)
    described = {"network": fingerprint_network(weights, settings), **calibration.as_dict()}
    return described, test.assign(lower_months=lower, upper_months=upper)


def learn_familiarity(
    store: ImageStore,
    cases: pd.DataFrame,
    splits: pd.DataFrame,
    weights: dict[str, Tensor],
    settings: dict[str, Any],
    params: Params,
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Learn what pictures of the training part look like to the network, and how far others of their kind lie.

    Returns:
        the state of a `boneage_kedro.models.feature_distance.FeatureDistance`, and its figures on the calibration
        part with the ``network`` that it belongs to.

    Raises:
        ValueError: labels, split or pictures are not those the network was trained on, or the calibration part is too
            small for the share of false alarms.
    """
    from boneage_kedro.reading.reliability import fingerprint_network
    from boneage_kedro.training.ages.familiarity import fit_familiarity
    from boneage_kedro.training.ages.regression import (
        check_cohort,
        check_pictures,
        pool_cohort,
        select_cohort,
    )

    labelled = select_cohort(cases, splits, params["cohort"])
    check_cohort(labelled, settings)
    check_pictures(store, labelled["id"].tolist(), settings)
    used = labelled[labelled["split"].isin(["train", "calibration"])]
    features = pool_cohort(store, used, weights, settings, params["fit"])
    learnt = (used["split"] == "train").to_numpy(copy=True)  # torch wants to be able to write
    detector, figures = fit_familiarity(features[learnt], features[~learnt], params["familiarity"])
    return detector.state_dict(), {"network": fingerprint_network(weights, settings), **figures}


def measure_intervals(intervals: pd.DataFrame, params: Params) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What the intervals held of the test part by age band and sex, and how ages agree with read ones."""
    coverage = interval_coverage(intervals, params["age_band_months"])
    return coverage, agreement_by_sex(intervals, params["fit"]["seed"])


def draw_intervals(
    intervals: pd.DataFrame, coverage: pd.DataFrame, agreement: pd.DataFrame, source: str, params: Params
) -> tuple[Figure, Figure, Figure]:
    """Differences from read ages, coverage by age band and sex, and the width over age, all of the test part."""
    from boneage_kedro.evaluation.ages.figures import bland_altman_plot, coverage_bars, width_over_age

    (row,) = agreement[agreement["cohort"] == "all"].to_dict("records")
    limits = {str(name): value for name, value in row.items()}
    wanted = params["intervals"]["coverage"]
    cases, part = intervals[["sex", "bone_age_months"]], f"the test part, {source}"
    return (
        bland_altman_plot(cases, intervals["predicted_months"].to_numpy(), limits, f"Agreement on {part}"),
        coverage_bars(coverage, wanted, params["least_band_coverage"], f"{wanted:.0%} intervals on {part}"),
        width_over_age(intervals, f"{wanted:.0%} intervals on {part}"),
    )


def compare_models(
    ptl: pd.DataFrame, fine_tune: pd.DataFrame, bonet: pd.DataFrame | None, params: Params
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Errors on the test part, from which nothing was learnt: constant guess, BoNet, plain fine-tuning and PTL.

    Args:
        bonet: predictions of the baseline, if the pipeline `bonet` was run; those of other cases are left out.

    Returns:
        one row a model and cohort, and the errors of PTL by age band and sex.
    """
    test = ptl[ptl["split"] == "test"]
    answers = {MODELS["constant"]: guess_training_median(ptl[ptl["split"] == "train"], test)}
    if bonet is not None and _predicts(bonet, test):
        answers[MODELS["bonet"]] = _ages_of(test, bonet)
    answers[MODELS["fine_tune"]] = _ages_of(test, fine_tune)
    answers[MODELS["ptl"]] = test["predicted_months"].to_numpy()
    by_band = errors_by_age_band(test, test["predicted_months"].to_numpy(), params["age_band_months"])
    return compare(test, answers, params["fit"]["seed"]), by_band


def _predicts(bonet: pd.DataFrame, test: pd.DataFrame) -> bool:
    """Whether the test part of the baseline has all these cases; says so if not."""
    columns = ["id", "sex", "bone_age_months"]
    same = len(test.merge(bonet.loc[bonet["split"] == "test", columns], on=columns)) == len(test)
    if not same:
        logger.warning(
            "The predictions of BoNet are of other cases or another split and are left out of the tables; run the "
            "pipeline bonet again"
        )
    return same


def _ages_of(test: pd.DataFrame, predictions: pd.DataFrame) -> np.ndarray:
    return predictions.set_index("id").loc[test["id"], "predicted_months"].to_numpy()


def compare_with_paper(
    comparison: pd.DataFrame,
    predictions: pd.DataFrame,
    history: pd.DataFrame,
    settings: dict[str, Any],
    bonet: dict[str, Any] | None,
    source: str,
    params: Params,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables 1 and 2 of paper 001 with rows of ours, of PTL and perhaps BoNet on the test part.

    Args:
        settings: of PTL (see `train_regressor`); the radiographs that its start has learnt from count, too.
        bonet: what the baseline is (see `boneage_kedro.pipelines.bonet.nodes.describe_bonet`), if it was run.
    """
    # a network of one sex has figures of `all` its children alone, which stand in the column of that sex
    ours = comparison.replace({"cohort": {"all": params["cohort"]}})
    pictures = {"whole": "", "hand": " of cut hands", "enhanced": " of enhanced hands"}[params["images"]]
    network = f"{params['backbone']} at {params['input_px']} px{pictures}, {source}"
    earlier = settings.get("data", [])[1:]  # none of a network from before this was kept
    before = "".join(f", after {data['radiographs']} of {data['source']}" for data in earlier)
    used = len(predictions) + sum(data["radiographs"] for data in earlier if data["source"] != source)
    rows = [OurMethod(MODELS["ptl"], network + before, used, history["epoch"].nunique())]
    if bonet is not None and (comparison["model"] == MODELS["bonet"]).any():
        feature = f"{bonet['network']}, {source}"
        rows.insert(0, OurMethod(MODELS["bonet"], feature, bonet["dataset_size"], bonet["epochs"]))
    return methods_table(ours, rows), participants_table(ours, [row.model for row in rows])


def collect_metrics(
    comparison: pd.DataFrame,
    coverage: pd.DataFrame,
    agreement: pd.DataFrame,
    ptl_history: pd.DataFrame,
    fine_tune_history: pd.DataFrame,
) -> dict[str, Any]:
    """Curves and final figures in the form MLflow takes: name -> one or many ``{step, value}``."""
    metrics: dict[str, Any] = {}
    for strategy, history in (("ptl", ptl_history), ("fine_tune", fine_tune_history)):
        for column in ("train_loss", "train_mae_months", "validation_mae_months", "learning_rate"):
            curve = history.groupby("epoch")[column].mean()  # over networks
            metrics[f"{strategy}.{column}"] = metric_curve(curve.index, curve)
    key_of = {name: key for key, name in MODELS.items()}
    of_models = comparison.assign(key=comparison["model"].map(key_of))
    of_ages = coverage[coverage["age_band"] == "all"].assign(key="ptl", cohort=coverage["sex"])
    for table, figures in (
        (of_models, ("mae", "rmse", "bias")),
        (of_ages, ("coverage", "mean_width")),
        (agreement.assign(key="ptl"), ("lower_limit", "upper_limit", "slope")),
    ):
        for row in table.to_dict("records"):
            metrics |= final_metrics(
                {f"test.{row['key']}.{row['cohort']}.{figure}": row[figure] for figure in figures}
            )
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
