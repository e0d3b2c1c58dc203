"""A network for each fold of the cases to learn from: together an ensemble, and an honest age of every case."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd
from torch import Tensor

from boneage_kedro.cohort.splits import cross_validation_splits
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.models.age_ensemble import AgeEnsemble, AgeNetwork, merge
from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.predict import predict_ages
from boneage_kedro.training.progress import EpochRecord
from boneage_kedro.training.regression import (
    CohortReader,
    fingerprint_cohort,
    select_samples,
    train_age_regressor,
)
from boneage_kedro.training.seeding import derive_seed
from boneage_kedro.training.settings import FitSettings, FoldSettings, PacedStage, RegressionSettings

logger = logging.getLogger(__name__)


def train_folds(
    store: ImageStore,
    labelled: pd.DataFrame,
    pretrained: PretrainedWeights,
    checkpoint: CheckpointFile,
    settings: RegressionSettings,
    stages: Sequence[PacedStage],
    folds: FoldSettings,
) -> tuple[AgeNetwork, dict[str, Any], list[EpochRecord]]:
    """Cut training and validation part together into folds, and train a network without each of them.

    The fold that a network goes without chooses its best epoch. Each has a state of its own beside the checkpoint,
    so a finished one is not trained again.

    Args:
        labelled: cases with ``patient_id`` and ``split``; calibration and test part stay out of all folds.

    Returns:
        what `boneage_kedro.training.regression.train_age_regressor` gives, with ``folds`` in the plain values, and
        those of an ensemble also ``members`` (of ``regressor``); and ``fold`` from 1 in the records.
    """
    members, described, records = [], [], []
    for number, part in enumerate(deal_folds(labelled, folds), start=1):
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
    ensemble = AgeEnsemble(members)
    if folds["combine"] == "weights":
        return merge(ensemble), together, records
    return ensemble, together | {"members": [values["regressor"] for values in described]}, records


def deal_folds(labelled: pd.DataFrame, folds: FoldSettings) -> list[pd.DataFrame]:
    """The table once for each fold, which is its validation part; the others are its training part."""
    count, band, seed = folds["count"], folds["age_band_months"], folds["seed"]
    cases = labelled.drop(columns="split")
    tables = cross_validation_splits(cases, labelled[["id", "split"]], count, band, seed)
    return [cases.merge(splits, on="id", validate="one_to_one") for splits in tables]


def predict_unseen(
    store: ImageStore,
    labelled: pd.DataFrame,
    weights: dict[str, Tensor],
    settings: Mapping[str, Any],
    fit_settings: FitSettings,
) -> np.ndarray:
    """Ages in months by each network of an ensemble of folds, (n, k), nan for the cases that it has learnt from."""
    reader = CohortReader.of(store, labelled, weights, dict(settings), fit_settings)
    members, input_px = cast(AgeEnsemble, reader.model).regressors, reader.model.config.input_px
    ages = np.full((len(labelled), len(members)), np.nan)
    for column, (member, part) in enumerate(
        zip(members, deal_folds(labelled, settings["folds"]), strict=True)
    ):
        new = (part["split"] != "train").to_numpy()
        own = reader._replace(model=member, samples=select_samples(store, labelled[new], input_px))
        ages[new, column] = predict_ages(*own)
    return ages


def _union(ranges: Sequence[Sequence[float]]) -> list[float]:
    return [min(low for low, _ in ranges), max(high for _, high in ranges)]
