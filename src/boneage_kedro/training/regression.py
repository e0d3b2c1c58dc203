"""Training and using an age regressor on a cohort: from tables and the image store to ages."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.models.regressor import AgeRegressor, RegressorConfig
from boneage_kedro.models.weights import PretrainedWeights, fingerprint_weights
from boneage_kedro.provenance import fingerprint, fingerprint_code, fingerprint_table
from boneage_kedro.training.age_task import AgeTask
from boneage_kedro.training.batches import AgeSamples
from boneage_kedro.training.device import device_of
from boneage_kedro.training.loop import train
from boneage_kedro.training.predict import map_attention, predict_ages
from boneage_kedro.training.progress import Checkpoint, EpochRecord
from boneage_kedro.training.seeding import derive_seed
from boneage_kedro.training.settings import FitSettings, PacedStage, RegressionSettings

Result = TypeVar("Result")


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
    stages: Sequence[PacedStage],
) -> tuple[AgeRegressor, dict[str, Any], list[EpochRecord]]:
    """Train on the split ``train``, keep the best epoch on ``validation``.

    Returns:
        the network with its best weights; plain values that `build_regressor` and `assess` need beside the
        weights (``regressor``, ``cohort``, ``weights_from``, ``data_fingerprint`` of the pictures,
        ``cohort_fingerprint`` of labels and split, ``age_range_months``,
        ``preparation`` of the pictures); and the history.
    """
    learning, validation = (labelled[labelled["split"] == split] for split in ("train", "validation"))
    ages = learning["bone_age_months"]
    config = RegressorConfig(
        settings["backbone"], settings["input_px"], float(ages.mean()), float(ages.std()), settings["dropout"]
    )
    torch.manual_seed(derive_seed(settings["fit"]["seed"], "head"))
    model = AgeRegressor(config)
    weights_from = "random"
    if settings["initial_weights"] == "pretrained":
        weights_from = pretrained.load_into(model.backbone, settings["backbone"])
    described = {
        "regressor": config.as_dict(),
        "cohort": settings["cohort"],
        "weights_from": weights_from,
        "data_fingerprint": store.fingerprint(labelled["id"].tolist()),
        "cohort_fingerprint": fingerprint_cohort(labelled),
        "age_range_months": [float(ages.min()), float(ages.max())],
        "preparation": store.header.preparation,
    }
    task = AgeTask(
        model,
        select_samples(store, learning, config.input_px),
        select_samples(store, validation, config.input_px),
        settings["fit"]["loss"],
        settings["augment"],
    )
    recipe = list(stages), settings["fit"], settings["augment"]
    code = fingerprint_code("training", "models")
    named = fingerprint(described, recipe, fingerprint_weights(model.state_dict()), code)
    history = train(task, stages, settings["fit"], checkpoint, named)
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
    return _apply(predict_ages, store, cases, weights, settings, fit_settings)


def fingerprint_cohort(labelled: pd.DataFrame) -> str:
    """Names the labels and the split of the cases: a network belongs to the ones it was trained on."""
    columns = ["id", "split", "sex", "bone_age_months"]
    return fingerprint_table(labelled[columns].sort_values("id"))


def check_cohort(labelled: pd.DataFrame, settings: Mapping[str, Any]) -> None:
    """See that the network was trained on these labels and this split.

    Raises:
        ValueError: it was not, so a case of the test part may have been trained on.
    """
    if fingerprint_cohort(labelled) != settings["cohort_fingerprint"]:
        raise ValueError(
            "labels or split have changed since the network was trained, so cases it learnt from may be in the "
            "test part now; run the pipeline ptl_regression as a whole"
        )


def map_cohort(
    store: ImageStore,
    cases: pd.DataFrame,
    weights: dict[str, Tensor],
    settings: dict[str, Any],
    fit_settings: FitSettings,
) -> tuple[np.ndarray, np.ndarray]:
    """Class activation maps (n, h, w) and biases (n,) in months, in the order of the table."""
    return _apply(map_attention, store, cases, weights, settings, fit_settings)


def _apply(
    function: Callable[[AgeRegressor, AgeSamples, int, torch.device], Result],
    store: ImageStore,
    cases: pd.DataFrame,
    weights: dict[str, Tensor],
    settings: dict[str, Any],
    fit_settings: FitSettings,
) -> Result:
    """Build the trained network and let a function of `boneage_kedro.training.predict` use it on the cases."""
    device = device_of(fit_settings["accelerator"])
    model = build_regressor(weights, settings).to(device)
    samples = select_samples(store, cases, model.config.input_px)
    return function(model, samples, fit_settings["batch_size"], device)
