"""A network for each fold of the cases to learn from.

Together they are an ensemble, and of every case there is an age by networks that have not learnt from it, though the
case has helped to choose their epoch and the line that straightens ages.
"""

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
from boneage_kedro.training.ages.settings import FoldSettings, FoldVariant, PacedStage, RegressionSettings
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.device import device_of
from boneage_kedro.training.progress import EpochRecord
from boneage_kedro.training.seeding import derive_seed

logger = logging.getLogger(__name__)


class FoldedNetwork(NamedTuple):
    """Networks of folds in one.

    Attributes:
        model: their mean.
        settings: plain values that build it again beside its weights.
        history: a record an epoch, fold and variant.
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
    """Cut training and validation part together into folds, and train a network of each variant without each.

    The fold that a network goes without chooses its best epoch. Each has a state of its own beside the checkpoint,
    so a finished one is not trained again.

    Args:
        labelled: cases with ``patient_id`` and ``split``; calibration and test part stay out of all folds.

    Returns:
        what `boneage_kedro.training.ages.regression.train_age_regressor` gives, with ``folds`` in the plain values,
        and those of an ensemble also ``members`` (of ``regressor``); with ``fold`` and ``variant`` from 1 in the
        records; and the ages by the networks of each fold before folds were combined.
    """
    parts = deal_folds(labelled, folds)
    trained = []
    for place, variant in enumerate(folds["variants"] or [FoldVariant()], start=1):
        for fold, part in enumerate(parts, start=1):
            logger.info("Fold %d of %d, variant %d", fold, len(parts), place)
            state, own = checkpoint.beside(f"fold_{fold}_{place}"), own_settings(settings, variant, fold)
            network, described, history = train_age_regressor(store, part, pretrained, state, own, stages)
            records = [{**record, "fold": fold, "variant": place} for record in history]
            trained.append(_Trained(fold, own["initial_weights"], network, described, records))
    by_fold = [
        _combine([one for one in trained if one.fold == fold], folds["combine"])
        for fold in range(1, len(parts) + 1)
    ]
    ages = _ages_unseen(store, by_fold, parts, settings)
    if folds["straighten"]:
        ages = _straighten([one.network for one in trained], labelled, ages)
    model = _combine(trained, folds["combine"])
    described = _describe(model, trained) | {
        "folds": dict(folds),
        "cohort_fingerprint": fingerprint_cohort(labelled),
    }
    return FoldedNetwork(model, described, [record for one in trained for record in one.history], ages)


class _Trained(NamedTuple):
    """What one training gave (see `train_age_regressor`), and from which ``initial_weights``."""

    fold: int
    start: str
    network: AgeRegressor
    settings: dict[str, Any]
    history: list[EpochRecord]


def _combine(trained: Sequence[_Trained], way: Literal["ages", "weights"]) -> AgeNetwork:
    """One network of several; the weights of those that began alike may be averaged."""
    members = [one.network for one in trained]
    if way == "weights":
        by_start: dict[str, list[AgeRegressor]] = {}
        for one in trained:
            by_start.setdefault(one.start, []).append(one.network)
        members = [merge(AgeEnsemble(of_start)) for of_start in by_start.values()]
    return members[0] if len(members) == 1 else AgeEnsemble(members)


def _describe(model: AgeNetwork, trained: Sequence[_Trained]) -> dict[str, Any]:
    """Plain values that build the network again, from those of the networks that are in it."""
    described = {
        **trained[0].settings,
        "regressor": model.config.as_dict(),
        "weights_from": ", ".join(dict.fromkeys(one.settings["weights_from"] for one in trained)),
        "age_range_months": _union([one.settings["age_range_months"] for one in trained]),
    }
    if isinstance(model, AgeEnsemble):
        described["members"] = [member.config.as_dict() for member in model.regressors]
    return described


def own_settings(settings: RegressionSettings, variant: FoldVariant, fold: int) -> RegressionSettings:
    """The settings of one network of folds."""
    seed = derive_seed(settings["fit"]["seed"], f"fold {fold}")
    return {
        **settings,
        "initial_weights": variant.get("initial_weights", settings["initial_weights"]),
        "augment": {**settings["augment"], **variant.get("augment", {})},
        "fit": {**settings["fit"], "seed": seed},
    }


def deal_folds(labelled: pd.DataFrame, folds: FoldSettings) -> list[pd.DataFrame]:
    """The table once for each fold, which is its validation part; the others are its training part."""
    count, band, seed = folds["count"], folds["age_band_months"], folds["seed"]
    cases = labelled.drop(columns="split")
    tables = cross_validation_splits(cases, labelled[["id", "split"]], count, band, seed)
    return [cases.merge(splits, on="id", validate="one_to_one") for splits in tables]


def _ages_unseen(
    store: ImageStore,
    by_fold: Sequence[AgeNetwork],
    parts: Sequence[pd.DataFrame],
    settings: RegressionSettings,
) -> np.ndarray:
    """Ages in months by the networks of each fold together, (n, k), nan for the cases that they have learnt from."""
    fit, device = settings["fit"], device_of(settings["fit"]["accelerator"])
    ages = np.full((len(parts[0]), len(parts)), np.nan)
    for column, (network, part) in enumerate(zip(by_fold, parts, strict=True)):
        new = (part["split"] != "train").to_numpy()
        samples = select_samples(store, part[new], settings["input_px"])
        reading = network.eval().to(device)
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
