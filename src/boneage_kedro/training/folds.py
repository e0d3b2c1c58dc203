"""A network for each fold of the cases to learn from: together an ensemble, and an honest age of every case."""

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from boneage_kedro.cohort.splits import cross_validation_splits
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.models.age_ensemble import AgeEnsemble, AgeNetwork, merge
from boneage_kedro.models.regressor import AgeRegressor
from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.device import device_of
from boneage_kedro.training.predict import predict_ages
from boneage_kedro.training.progress import EpochRecord
from boneage_kedro.training.regression import fingerprint_cohort, select_samples, train_age_regressor
from boneage_kedro.training.seeding import derive_seed
from boneage_kedro.training.settings import FoldSettings, PacedStage, RegressionSettings

logger = logging.getLogger(__name__)


class FoldedNetwork(NamedTuple):
    """Networks of folds in one.

    Attributes:
        model: their mean.
        settings: plain values that build it again beside its weights.
        history: a record an epoch and fold.
        ages_unseen: (n, k) months by each of the k networks, nan for the cases that it has learnt from.
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
    """Cut training and validation part together into folds, and train a network without each of them.

    The fold that a network goes without chooses its best epoch. Each has a state of its own beside the checkpoint,
    so a finished one is not trained again.

    Args:
        labelled: cases with ``patient_id`` and ``split``; calibration and test part stay out of all folds.

    Returns:
        what `boneage_kedro.training.regression.train_age_regressor` gives, with ``folds`` in the plain values, and
        those of an ensemble also ``members`` (of ``regressor``); with ``fold`` from 1 in the records; and the ages
        by each network before they were combined.
    """
    members, described, records = [], [], []
    parts = deal_folds(labelled, folds)
    for number, part in enumerate(parts, start=1):
        logger.info("Fold %d of %d", number, folds["count"])
        seed = derive_seed(settings["fit"]["seed"], f"fold {number}")
        own: RegressionSettings = {**settings, "fit": {**settings["fit"], "seed": seed}}
        model, its_settings, history = train_age_regressor(
            store, part, pretrained, checkpoint.beside(f"fold_{number}"), own, stages
        )
        members.append(model)
        described.append(its_settings)
        records += [{**record, "fold": number} for record in history]
    together = {
        **described[0],
        "folds": dict(folds),
        "cohort_fingerprint": fingerprint_cohort(labelled),
        "age_range_months": _union([values["age_range_months"] for values in described]),
    }
    ages = _ages_unseen(store, members, parts, settings)
    ensemble = AgeEnsemble(members)
    if folds["combine"] == "weights":
        return FoldedNetwork(merge(ensemble), together, records, ages)
    together["members"] = [values["regressor"] for values in described]
    return FoldedNetwork(ensemble, together, records, ages)


def deal_folds(labelled: pd.DataFrame, folds: FoldSettings) -> list[pd.DataFrame]:
    """The table once for each fold, which is its validation part; the others are its training part."""
    count, band, seed = folds["count"], folds["age_band_months"], folds["seed"]
    cases = labelled.drop(columns="split")
    tables = cross_validation_splits(cases, labelled[["id", "split"]], count, band, seed)
    return [cases.merge(splits, on="id", validate="one_to_one") for splits in tables]


def _ages_unseen(
    store: ImageStore,
    members: Sequence[AgeRegressor],
    parts: Sequence[pd.DataFrame],
    settings: RegressionSettings,
) -> np.ndarray:
    """Ages in months by each network, (n, k), nan for the cases that it has learnt from."""
    fit, device = settings["fit"], device_of(settings["fit"]["accelerator"])
    ages = np.full((len(parts[0]), len(members)), np.nan)
    for column, (member, part) in enumerate(zip(members, parts, strict=True)):
        new = (part["split"] != "train").to_numpy()
        samples = select_samples(store, part[new], settings["input_px"])
        reading = member.eval().to(device)
        ages[new, column] = predict_ages(reading, samples, fit["batch_size"], device, settings["views"])
        member.cpu()
    return ages


def _union(ranges: Sequence[Sequence[float]]) -> list[float]:
    return [min(low for low, _ in ranges), max(high for _, high in ranges)]
