"""What tests of the age regressor share: settings, pictures whose brightness is the age, a small network."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from boneage_kedro.imaging.store import ImageStore, ImageStoreWriter, StoreEntry, StoreHeader
from boneage_kedro.models.regressor import AgeRegressor, RegressorConfig
from boneage_kedro.training.ages.settings import PacedStage, RegressionSettings
from boneage_kedro.training.batches import AgeSamples

BACKBONE = "test_efficientnet"
SIDE = 32

MOVES = dict(
    rotation_deg=10,
    shear_deg=5,
    zoom=0.1,
    log_aspect=0,
    shift=0.05,
    flip_probability=0.5,
    brightness=0.05,
    contrast=0.1,
    log_gamma=0.1,
)
ROBUST_OFF = dict(
    crop_probability=0,
    crop=0.1,
    margin=0.1,
    window_probability=0,
    window_low=0.2,
    window_high=0.2,
    invert_probability=0,
    blur_px=0,
    noise_sd=0,
    clip_limit=0,
    cutout_probability=0,
    cutout=0.3,
)
FIT = dict(
    batch_size=4,
    loss="l1",
    optimiser="adamw",
    weight_decay=0.01,
    schedule="cosine",
    accelerator="cpu",
    precision="32-true",
    ema_decay=0,
    memory_format="contiguous",
    seed=5,
)
HEAD = dict(kind="linear", bin_months=10, label_sd_months=12, label_weight=1)


def regression_settings(fit: dict[str, Any] | None = None, **changes: Any) -> RegressionSettings:
    """The settings as they were before there were options, with changes to ``fit`` and to the others."""
    settings = dict(
        cohort="all",
        backbone=BACKBONE,
        initial_weights="random",
        input_px=SIDE,
        dropout=0.2,
        head=HEAD,
        frozen_statistics="keep",
        balance_band_months=0,
        augment=MOVES | ROBUST_OFF,
        views=dict(flip=False, rotations_deg=[0]),
    )
    return RegressionSettings(**settings | changes, fit=FIT | (fit or {}))


def stage(name: str, free: list[str], epochs: int, patience: int = 9) -> PacedStage:
    return PacedStage(name=name, free=free, learning_rate=1e-3, max_epochs=epochs, patience=patience)


def samples(count: int, seed: int) -> AgeSamples:
    """Pictures whose brightness is the age."""
    rng = np.random.default_rng(seed)
    ages = rng.uniform(20, 220, count)
    pixels = (ages[:, None, None] + rng.normal(0, 5, (count, 40, 40))).clip(0, 255).astype(np.uint8)
    ids = [f"c{i}" for i in range(count)]
    return AgeSamples(pixels, np.arange(count), ids, rng.random(count) < 0.5, ages, SIDE)


def write_cohort(folder: Path, count: int = 20) -> tuple[ImageStore, pd.DataFrame]:
    """Pictures whose brightness is the age, with sex and split."""
    rng = np.random.default_rng(3)
    ages = rng.uniform(20, 220, count)
    with ImageStoreWriter(folder, StoreHeader(SIDE, {})) as writer:
        for i, age in enumerate(ages):
            picture = (age + rng.normal(0, 5, (SIDE, SIDE))).clip(0, 255).astype(np.uint8)
            writer.append([StoreEntry(f"c{i:02d}", "", picture)])
        writer.finish()
    labelled = pd.DataFrame({"id": [f"c{i:02d}" for i in range(count)], "bone_age_months": ages})
    labelled["sex"] = ["F", "M"] * (count // 2)
    labelled["split"] = np.repeat(["train", "validation", "test"], [count * 3 // 5, count // 5, count // 5])
    return ImageStore(folder), labelled


def network(bin_months: float | None = None) -> AgeRegressor:
    torch.manual_seed(0)
    return AgeRegressor(RegressorConfig(BACKBONE, SIDE, 120.0, 60.0, 0.2, bin_months))
