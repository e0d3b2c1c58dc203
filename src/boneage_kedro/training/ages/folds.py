"""A network for each fold of the cases to learn from: together an ensemble, and an honest age of every case."""

import logging
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from boneage_kedro.cohort.splits import cross_validation_splits
from boneage_kedro.evaluation.ages.bias_correction import ALL, fit_bias_correction
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.models.age_ensemble import AgeEnsemble, AgeNetwork, merge
from boneage_kedro.models.regressor import AgeRegressor
from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.training.ages.predict import predict_ages
from boneage_kedro.training.ages.regression import fingerprint_cohort, select_samples, train_age_regressor
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.device import device_of
from boneage_kedro.training.progress import EpochRecord
from boneage_kedro.training.seeding import derive_seed
from boneage_kedro.training.settings import FoldSettings, PacedStage, RegressionSettings

logger = logging.getLogger(__name__)


class FoldedNetwork(NamedTuple):
    """Networks of folds in one.

    Attributes:
        model: their mean.
        settings: plain values that build it again beside its weights.
        history: a record an epoch, fold and start.
        ages_unseen: (n, k) months by the networks of each of k folds, nan for the cases that they learnt from.
    """

    model: AgeNetwork
    settings: dict[str, Any]
    history: list[EpochRecord]
    ages_unseen: np.ndarray


def train_folds(
    store: ImageStore,
    labelled: pd.DataFrame,
    pretrained: PretrainedWeights,
    checkpoint: CheckpointFile,
    settings: RegressionSettings,
    stages: Sequence[PacedStage],
    folds: FoldSettings,
) -> FoldedNetwork:
    """Cut training and validation part together into folds, and train a network without each, from each start.

    The fold that a network goes without chooses its best epoch. Each has a state of its own beside the checkpoint,
    so a finished one is not trained again.

    Args:
        labelled: cases with ``patient_id`` and ``split``; calibration and test part stay out of all folds.

    Returns:
        what `boneage_kedro.training.ages.regression.train_age_regressor` gives, with ``folds`` in the plain values,
        and those of an ensemble also ``members`` (of ``regressor``); with ``fold`` from 1 and ``start`` in the
        records; and the ages by the networks of each fold before folds were combined.
    """
    parts = deal_folds(labelled, folds)
    starts = folds["starts"] or [settings["initial_weights"]]
    by_start = [
        _train_from(start, store, parts, pretrained, checkpoint, settings, stages) for start in starts
    ]
    trained = [one for of_start in by_start for one in of_start]
    networks = [[one.network for one in of_start] for of_start in by_start]
    ages = _ages_unseen(store, list(zip(*networks, strict=True)), parts, settings)
    if folds["straighten"]:
        ages = _straighten([one.network for one in trained], labelled, ages)
    model = _combine(networks, folds["combine"])
    described = {
        **trained[0].settings,
        "regressor": model.config.as_dict(),
        "weights_from": ", ".join(dict.fromkeys(one.settings["weights_from"] for one in trained)),
        "folds": dict(folds),
        "cohort_fingerprint": fingerprint_cohort(labelled),
        "age_range_months": _union([one.settings["age_range_months"] for one in trained]),
    }
    if isinstance(model, AgeEnsemble):
        described["members"] = [member.config.as_dict() for member in model.regressors]
    return FoldedNetwork(model, described, [record for one in trained for record in one.history], ages)


class _Trained(NamedTuple):
    """What one training gave (see `train_age_regressor`)."""

    network: AgeRegressor
    settings: dict[str, Any]
    history: list[EpochRecord]


def _train_from(
    start: str,
    store: ImageStore,
    parts: Sequence[pd.DataFrame],
    pretrained: PretrainedWeights,
    checkpoint: CheckpointFile,
    settings: RegressionSettings,
    stages: Sequence[PacedStage],
) -> list[_Trained]:
    """A network for each fold, all from one start; its name is in that of their states."""
    trained = []
    for number, part in enumerate(parts, start=1):
        logger.info("Fold %d of %d, from %s", number, len(parts), start)
        state = checkpoint.beside(f"fold_{number}_{start}")
        own = _own_settings(settings, start, number)
        network, described, history = train_age_regressor(store, part, pretrained, state, own, stages)
        records = [{**record, "fold": number, "start": start} for record in history]
        trained.append(_Trained(network, described, records))
    return trained


def _combine(by_start: Sequence[Sequence[AgeRegressor]], way: Literal["ages", "weights"]) -> AgeNetwork:
    """One network of those of all starts and folds; the weights of those that began alike may be averaged."""
    if way == "weights":
        by_start = [[merge(AgeEnsemble(of_start))] for of_start in by_start]
    members = [member for of_start in by_start for member in of_start]
    return members[0] if len(members) == 1 else AgeEnsemble(members)


def _own_settings(settings: RegressionSettings, start: str, fold: int) -> RegressionSettings:
    seed = derive_seed(settings["fit"]["seed"], f"fold {fold}")
    return {**settings, "initial_weights": start, "fit": {**settings["fit"], "seed": seed}}


def deal_folds(labelled: pd.DataFrame, folds: FoldSettings) -> list[pd.DataFrame]:
    """The table once for each fold, which is its validation part; the others are its training part."""
    count, band, seed = folds["count"], folds["age_band_months"], folds["seed"]
    cases = labelled.drop(columns="split")
    tables = cross_validation_splits(cases, labelled[["id", "split"]], count, band, seed)
    return [cases.merge(splits, on="id", validate="one_to_one") for splits in tables]


def _ages_unseen(
    store: ImageStore,
    by_fold: Sequence[Sequence[AgeRegressor]],
    parts: Sequence[pd.DataFrame],
    settings: RegressionSettings,
) -> np.ndarray:
    """Ages in months by the networks of each fold together, (n, k), nan for the cases that they have learnt from."""
    fit, device = settings["fit"], device_of(settings["fit"]["accelerator"])
    ages = np.full((len(parts[0]), len(parts)), np.nan)
    for column, (members, part) in enumerate(zip(by_fold, parts, strict=True)):
        new = (part["split"] != "train").to_numpy()
        samples = select_samples(store, part[new], settings["input_px"])
        reading = AgeEnsemble(members).eval().to(device)
        ages[new, column] = predict_ages(reading, samples, fit["batch_size"], device, settings["views"])
        reading.cpu()
    return ages


def _straighten(
    members: Sequence[AgeRegressor], labelled: pd.DataFrame, ages_unseen: np.ndarray
) -> np.ndarray:
    """Put a line from predicted to read age into all members; returns the ages with it."""
    learning = labelled["split"].isin(["train", "validation"]).to_numpy()
    gone_without = labelled[learning].assign(predicted_months=np.nanmean(ages_unseen[learning], axis=1))
    line = fit_bias_correction(gone_without, by_sex=False).lines[ALL]
    logger.info("Ages are straightened: %.1f months + %.3f x age", line.intercept_months, line.slope)
    for member in members:
        member.straighten(line.intercept_months, line.slope)
    return line.intercept_months + line.slope * ages_unseen


def _union(ranges: Sequence[Sequence[float]]) -> list[float]:
    return [min(low for low, _ in ranges), max(high for _, high in ranges)]
