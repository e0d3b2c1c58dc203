"""Training and using an age regressor on a cohort: from tables and the image store to ages."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.models.age_ensemble import AgeEnsemble, AgeNetwork
from boneage_kedro.models.backbone import pretrained_part
from boneage_kedro.models.regressor import AgeRegressor, RegressorConfig
from boneage_kedro.models.regressor_start import start_from
from boneage_kedro.models.weights import PretrainedWeights, fingerprint_weights
from boneage_kedro.provenance import fingerprint, fingerprint_code, fingerprint_table
from boneage_kedro.training.ages.attention_maps import map_attention
from boneage_kedro.training.ages.familiarity import pooled_features
from boneage_kedro.training.ages.pacing import Images
from boneage_kedro.training.ages.predict import predict_ages
from boneage_kedro.training.ages.settings import PacedStage, RegressionSettings, ViewSettings
from boneage_kedro.training.ages.task import AgeTask
from boneage_kedro.training.ages.views import PLAIN
from boneage_kedro.training.batches import AgeSamples
from boneage_kedro.training.device import device_of
from boneage_kedro.training.loop import train
from boneage_kedro.training.progress import Checkpoint, EpochRecord
from boneage_kedro.training.seeding import derive_seed
from boneage_kedro.training.settings import FitSettings

CODE = ("training/*", "training/ages", "models")
"""What a trained age regressor depends on besides pictures and settings."""
_MEMORY_FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
_LEARNING = ("head", "frozen_statistics", "balance_band_months", "fit", "augment")
"""Settings that training depends on beside the network and its stages."""
PREDICTION_KEYS = ["id", "split", "sex", "bone_age_months"]
"""What every table of predictions says of a case beside the predicted age."""


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
        ``preparation`` of the pictures, ``views`` that it reads them in); and the history.

    Raises:
        ValueError: the last stage is not at the network's own size, or as `boneage_kedro.training.loop.train` says.
    """
    learning, validation = (labelled[labelled["split"] == split] for split in ("train", "validation"))
    ages = learning["bone_age_months"]
    model, weights_from = new_regressor(settings, float(ages.mean()), float(ages.std()), pretrained)
    described = {
        "regressor": model.config.as_dict(),
        "cohort": settings["cohort"],
        "weights_from": weights_from,
        "data_fingerprint": store.fingerprint(labelled["id"].tolist()),
        "cohort_fingerprint": fingerprint_cohort(labelled),
        "age_range_months": [float(ages.min()), float(ages.max())],
        "preparation": store.header.preparation,
    }
    input_px = settings["input_px"]
    _check_last_size(stages, input_px)
    train_part, validation_part = (select_samples(store, part, input_px) for part in (learning, validation))
    task = AgeTask(model, train_part, validation_part, settings)
    code = fingerprint_code(*CODE)
    recipe = list(stages), {key: value for key, value in settings.items() if key in _LEARNING}
    named = fingerprint(described, recipe, fingerprint_weights(model.state_dict()), code)
    history = train(task, stages, settings["fit"], checkpoint, named, settings["fit"]["ema_decay"])
    model.to(memory_format=torch.contiguous_format)  # what files of weights hold
    return model, described | {"views": settings["views"]}, history


def _check_last_size(stages: Sequence[PacedStage], input_px: int) -> None:
    last = stages[-1].get("input_px", input_px) if stages else input_px
    if last != input_px:
        raise ValueError(
            f"the last stage, {stages[-1]['name']}, trains on pictures of {last} px, but the network is to read "
            f"{input_px} px (input_px of the network): leave input_px out of the last stage"
        )


def new_regressor(
    settings: RegressionSettings, age_mean_months: float, age_sd_months: float, pretrained: PretrainedWeights
) -> tuple[AgeRegressor, str]:
    """A network before training, and where its weights come from.

    Raises:
        PretrainedWeightsMissing: the weights that ``initial_weights`` names cannot be had.
        ValueError: they do not fit, or the settings do not make a network.
    """
    head = settings["head"]
    config = RegressorConfig(
        settings["backbone"],
        settings["input_px"],
        age_mean_months,
        age_sd_months,
        settings["dropout"],
        head["bin_months"] if head["kind"] == "expectation" else None,
    )
    torch.manual_seed(derive_seed(settings["fit"]["seed"], "head"))
    model = AgeRegressor(config)
    weights_from = _fill(model, settings["initial_weights"], pretrained)
    return model.to(memory_format=_MEMORY_FORMATS[settings["fit"]["memory_format"]]), weights_from


def _fill(model: AgeRegressor, start: str, pretrained: PretrainedWeights) -> str:
    if start == "random":
        return start
    if start == "pretrained":
        return pretrained.load_into(*pretrained_part(model.backbone, model.config.backbone))
    weights, described = pretrained.read_run(start)
    with_heads = start_from(model, weights, RegressorConfig(**described["regressor"]))
    return f"run {start}" if with_heads else f"run {start}, its heads left out"


def build_regressor(weights: dict[str, Tensor], settings: dict[str, Any]) -> AgeNetwork:
    """The trained network, in evaluation mode; an ensemble where the settings name ``members``."""
    configs = [RegressorConfig(**values) for values in settings.get("members", [settings["regressor"]])]
    members = [AgeRegressor(config) for config in configs]
    model: AgeNetwork = AgeEnsemble(members) if "members" in settings else members[0]
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
    return predict_ages(*CohortReader.of(store, cases, weights, settings, fit_settings))


def predict_table(
    store: ImageStore,
    cases: pd.DataFrame,
    weights: dict[str, Tensor],
    settings: dict[str, Any],
    fit_settings: FitSettings,
) -> pd.DataFrame:
    """The cases with their predicted ages: the columns of `PREDICTION_KEYS` and ``predicted_months``."""
    predicted = predict_cohort(store, cases, weights, settings, fit_settings)
    return cases[PREDICTION_KEYS].reset_index(drop=True).assign(predicted_months=predicted)


def fingerprint_cohort(labelled: pd.DataFrame) -> str:
    """Names the labels and the split of the cases: a network belongs to the ones it was trained on."""
    return fingerprint_table(labelled[PREDICTION_KEYS].sort_values("id"))


def check_cohort(
    labelled: pd.DataFrame, settings: Mapping[str, Any], pipeline: str = "ptl_regression"
) -> None:
    """See that the network, which a pipeline has made, was trained on these labels and this split.

    Raises:
        ValueError: it was not, so a case of the test part may have been trained on.
    """
    if fingerprint_cohort(labelled) != settings["cohort_fingerprint"]:
        raise ValueError(
            "labels or split have changed since the network was trained, so cases it learnt from may be in the "
            f"test part now; run the pipeline {pipeline} as a whole"
        )


def check_pictures(store: ImageStore, ids: Sequence[str], settings: Mapping[str, Any]) -> None:
    """See that the network was trained on these pictures.

    Args:
        ids: of all its cases, those of other parts than the training part among them.

    Raises:
        ValueError: it was not.
    """
    if store.fingerprint(ids) != settings["data_fingerprint"]:
        raise ValueError(
            f"the network was trained on other pictures than these, of the kind {images_in(settings)}; "
            "name that kind (ptl_regression.images), or run the pipeline ptl_regression as a whole"
        )


def map_cohort(
    store: ImageStore,
    cases: pd.DataFrame,
    weights: dict[str, Tensor],
    settings: dict[str, Any],
    fit_settings: FitSettings,
) -> tuple[np.ndarray, np.ndarray]:
    """Class activation maps (n, k, k) and biases (n,) in months, in the order of the table."""
    return map_attention(*CohortReader.of(store, cases, weights, settings, fit_settings))


def pool_cohort(
    store: ImageStore,
    cases: pd.DataFrame,
    weights: dict[str, Tensor],
    settings: dict[str, Any],
    fit_settings: FitSettings,
) -> Tensor:
    """Features (n, C) behind the average pooling, of the pictures as they are, in the order of the table."""
    reader = CohortReader.of(store, cases, weights, settings, fit_settings)
    return pooled_features(reader.model, reader.samples, reader.batch_size, reader.device)


class CohortReader(NamedTuple):
    """A trained network on its device, and the pictures that it reads."""

    model: AgeNetwork
    samples: AgeSamples
    batch_size: int
    device: torch.device
    views: ViewSettings

    @classmethod
    def of(
        cls,
        store: ImageStore,
        cases: pd.DataFrame,
        weights: dict[str, Tensor],
        settings: dict[str, Any],
        fit_settings: FitSettings,
    ) -> Self:
        """The network of these weights and settings, and pictures of the cases in the order of the table."""
        device = device_of(fit_settings["accelerator"])
        model = build_regressor(weights, settings).to(device)
        samples = select_samples(store, cases, model.config.input_px)
        return cls(model, samples, fit_settings["batch_size"], device, views_in(settings))


def images_in(settings: Mapping[str, Any]) -> Images:
    """The pictures that a network reads; one from before there was a choice reads whole ones."""
    images: Images = settings.get("images", "whole")
    return images


def views_in(settings: Mapping[str, Any]) -> ViewSettings:
    """The views that a network reads pictures in; one from before there were views reads them as they are."""
    views: ViewSettings = settings.get("views", PLAIN)
    return views
