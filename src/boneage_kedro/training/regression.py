"""Training and using an age regressor on a cohort: from tables and the image store to ages."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric
from torch import Tensor

from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.models.regressor import AgeRegressor, RegressorConfig
from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.training.batches import AgeSamples
from boneage_kedro.training.fit import fit
from boneage_kedro.training.predict import map_attention, predict_ages
from boneage_kedro.training.progress import Checkpoint, EpochRecord
from boneage_kedro.training.seeding import derive_seed
from boneage_kedro.training.settings import FitSettings, Recipe, RegressionSettings, StageSettings


def select_cohort(cases: pd.DataFrame, splits: pd.DataFrame, cohort: str) -> pd.DataFrame:
    """Cases with their split, of one sex (``F``, ``M``) or ``all``, sorted by id."""
    chosen = cases if cohort == "all" else cases[cases["sex"] == cohort]
    return chosen.merge(splits, on="id", validate="one_to_one").sort_values("id", ignore_index=True)


def select_samples(store: ImageStore, cases: pd.DataFrame, input_px: int) -> AgeSamples:
    """Pictures of the cases in the order of the table; nothing is read yet."""
    ids = cases["id"].tolist()
    return AgeSamples(
        pixels=store.pixels,
        rows=store.rows(ids),
        ids=ids,
        is_male=(cases["sex"] == "M").to_numpy(),
        age_months=cases["bone_age_months"].to_numpy(float),
        input_px=input_px,
    )


def train_age_regressor(
    store: ImageStore,
    labelled: pd.DataFrame,
    pretrained: PretrainedWeights,
    checkpoint: Checkpoint,
    settings: RegressionSettings,
    stages: Sequence[StageSettings],
) -> tuple[AgeRegressor, dict[str, Any], list[EpochRecord]]:
    """Train on the split ``train``, keep the best epoch on ``validation``.

    Returns:
        the network with its best weights; plain values that `build_regressor` and `assess` need beside the
        weights (``regressor``, ``cohort``, ``weights_from``, ``data_fingerprint``, ``age_range_months``,
        ``preparation`` of the pictures); and the history.
    """
    train, validation = (labelled[labelled["split"] == split] for split in ("train", "validation"))
    ages = train["bone_age_months"]
    config = RegressorConfig(
        settings["backbone"], settings["input_px"], float(ages.mean()), float(ages.std()), settings["dropout"]
    )
    torch.manual_seed(derive_seed(settings["fit"]["seed"], "head"))
    model = AgeRegressor(config)
    weights_from = "random"
    if settings["initial_weights"] == "pretrained":
        weights_from = pretrained.load_into(model.backbone, settings["backbone"])
    recipe = Recipe(stages=list(stages), fit=settings["fit"], augment=settings["augment"])
    described = {
        "regressor": config.as_dict(),
        "cohort": settings["cohort"],
        "weights_from": weights_from,
        "data_fingerprint": store.fingerprint,
        "age_range_months": [float(ages.min()), float(ages.max())],
        "preparation": store.header.preparation,
    }
    history = fit(
        model,
        select_samples(store, train, config.input_px),
        select_samples(store, validation, config.input_px),
        recipe,
        checkpoint,
        fingerprint_of(described, recipe, train["id"].tolist(), validation["id"].tolist()),
    )
    return model, described, history


def build_regressor(weights: dict[str, Tensor], settings: dict[str, Any]) -> AgeRegressor:
    """The trained network, in evaluation mode."""
    model = AgeRegressor(RegressorConfig(**settings["regressor"]))
    model.load_state_dict(weights)
    return model.eval()


def predict_cohort(
    store: ImageStore,
    cases: pd.DataFrame,
    weights: dict[str, Tensor],
    settings: dict[str, Any],
    fit_settings: FitSettings,
) -> np.ndarray:
    """Predicted bone ages in months, (n,), in the order of the table."""
    device = Fabric(accelerator=fit_settings["accelerator"], devices=1).device
    model = build_regressor(weights, settings).to(device)
    samples = select_samples(store, cases, model.config.input_px)
    return predict_ages(model, samples, fit_settings["batch_size"], device)


def fingerprint_of(*parts: Any) -> str:
    """A short name of plain values: equal values have equal names, in every run."""
    return hashlib.blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=16).hexdigest()


def map_cohort(
    store: ImageStore,
    cases: pd.DataFrame,
    weights: dict[str, Tensor],
    settings: dict[str, Any],
    fit_settings: FitSettings,
) -> tuple[np.ndarray, np.ndarray]:
    """Class activation maps (n, h, w) and biases (n,) in months, in the order of the table."""
    device = Fabric(accelerator=fit_settings["accelerator"], devices=1).device
    model = build_regressor(weights, settings).to(device)
    samples = select_samples(store, cases, model.config.input_px)
    return map_attention(model, samples, fit_settings["batch_size"], device)
