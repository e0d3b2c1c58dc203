"""Learning bone age from radiographs, as a task of the training loop."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from boneage_kedro.models.regressor import AgeRegressor
from boneage_kedro.training.augment import augment
from boneage_kedro.training.batches import AgeBatch, AgeSamples
from boneage_kedro.training.losses import age_loss
from boneage_kedro.training.predict import predict_ages
from boneage_kedro.training.settings import AugmentSettings, PacedStage


@dataclass(frozen=True)
class AgeTask:
    """An age regressor with its training and validation cases (see `boneage_kedro.training.loop.Task`).

    Raises:
        ValueError: a part is empty.
    """

    model: AgeRegressor
    train: AgeSamples
    validation: AgeSamples
    loss: str
    augment: AugmentSettings
    metric = "mae_months"
    higher_is_better = False

    def __post_init__(self) -> None:
        if not len(self.train) or not len(self.validation):
            raise ValueError(
                f"cannot train with {len(self.train)} training and {len(self.validation)} validation pictures: "
                "each must be at least one; see the data_prep report and data_prep.splits.fractions"
            )

    def begin_stage(self, stage: PacedStage) -> None:
        """Let only the stage's blocks learn."""
        self.model.train()
        self.model.free_only(stage["free"])

    def batch_count(self, batch_size: int) -> int:
        """Batches in an epoch."""
        return self.train.batch_count(batch_size)

    def batches(self, batch_size: int, device: torch.device, shuffle: torch.Generator) -> Iterator[AgeBatch]:
        """Every training case once, in random order."""
        return self.train.batches(batch_size, device, shuffle)

    def losses(self, network: Any, batch: AgeBatch, generator: torch.Generator) -> dict[str, Tensor]:
        """Loss and MAE of augmented pictures."""
        images = augment(batch.images, self.augment, generator)
        return age_loss(network(images, batch.is_male), batch.age_months, self.loss)

    def validate(self, batch_size: int, device: torch.device) -> float:
        """MAE in months on the validation part."""
        predicted = predict_ages(self.model, self.validation, batch_size, device)
        return float(abs(predicted - self.validation.age_months).mean())
