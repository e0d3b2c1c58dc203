"""Pairs and settings small enough to train on within a test."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from boneage_kedro.training.enhancement.gan_settings import GanSettings


@dataclass(frozen=True)
class Discs:
    """A gray disc with brighter spots, as gold; the input is darker by another gamma in every epoch."""

    count: int
    seed: int
    side: int = 32

    @cached_property
    def ids(self) -> list[str]:
        return [f"d{self.seed}-{i}" for i in range(self.count)]

    def __len__(self) -> int:
        return self.count

    def pair(self, i: int, epoch: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rng = np.random.default_rng([self.seed, i])
        rows, columns = np.mgrid[: self.side, : self.side]
        centre = rng.uniform(0.4, 0.6, 2) * self.side
        inside = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < (0.35 * self.side) ** 2
        spots = np.kron(rng.uniform(0.2, 0.9, (self.side // 4, self.side // 4)), np.ones((4, 4)))
        gold = (spots * inside).astype(np.float32)
        gamma = np.random.default_rng([self.seed, i, epoch]).uniform(1.5, 2.0)
        return gold ** np.float32(gamma), gold, inside


def settings(**changed: Any) -> GanSettings:
    base: dict[str, Any] = dict(
        generator={"width": 4, "depth": 2},
        discriminator={"name": "paper", "width": 4},
        reconstruction="l1",
        weights={"adversarial": 0.01, "reconstruction": 1.0, "ssim": 0.5, "background": 0.1},
        generator_learning_rate=3e-3,
        discriminator_learning_rate=1e-3,
        ema_decay=0.9,
        epochs=3,
        epoch_samples=10,
        batch_size=4,
        augment=dict(rotation_deg=30, shear_deg=0, zoom=0, log_aspect=0, shift=0, flip_probability=0.5),
        sheet_epochs=2,
        sheet_pictures=2,
        accelerator="cpu",
        precision="32-true",
        workers=2,
        seed=3,
    )
    return GanSettings(**base | changed)
