"""Learning bone age from radiographs, as a task of the training loop."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from boneage_kedro.models.regressor import AgeRegressor
from boneage_kedro.training.ages.augment import augment_age
from boneage_kedro.training.ages.predict import predict_ages
from boneage_kedro.training.ages.settings import PacedStage, RegressionSettings
from boneage_kedro.training.batches import AgeBatch, AgeSamples, draw_order
from boneage_kedro.training.losses import age_loss, distribution_loss


@dataclass
class AgeTask:
    """An age regressor with its training and validation cases (see `boneage_kedro.training.loop.Task`).

    Raises:
        ValueError: a part is empty.
    """

    model: AgeRegressor
    train: AgeSamples
    validation: AgeSamples
    settings: RegressionSettings
    metric = "mae_months"
    higher_is_better = False

    def __post_init__(self) -> None:
        if not len(self.train) or not len(self.validation):
            raise ValueError(
                f"cannot train with {len(self.train)} training and {len(self.validation)} validation pictures: "
                "each must be at least one; see the data_prep report and data_prep.splits.fractions"
            )

    def begin_stage(self, stage: PacedStage) -> None:
        """Let only the stage's blocks learn, from pictures of the stage's size."""
        input_px = self.measured_on(stage)
        self.train = replace(self.train, input_px=input_px)
        self.validation = replace(self.validation, input_px=input_px)
        self.model.train()
        self.model.free_only(stage["free"], self.settings["frozen_statistics"])

    def measured_on(self, stage: PacedStage) -> int:
        """Side of the stage's pictures."""
        return stage.get("input_px", self.model.config.input_px)

    def batch_count(self, batch_size: int) -> int:
        """Batches in an epoch."""
        return self.train.batch_count(batch_size)

    def batches(self, batch_size: int, device: torch.device, shuffle: torch.Generator) -> Iterator[AgeBatch]:
        """As many training cases as there are, in random order: each once, or balanced by age."""
        order = draw_order(self.train.age_months, self.settings["balance_band_months"], shuffle)
        return self.train.batches(batch_size, device, order)

    def losses(self, network: Any, batch: AgeBatch, generator: torch.Generator) -> dict[str, Tensor]:
        """Loss and MAE of augmented pictures; with an expectation head the loss of the distribution is added."""
        images = augment_age(batch.images, self.settings["augment"], generator)
        scores = network(images, batch.is_male, as_scores=True)
        values = age_loss(self.model.ages(scores), batch.age_months, self.settings["fit"]["loss"])
        head, grid = self.settings["head"], self.model.grid_months
        if grid is not None and head["label_weight"]:
            off = distribution_loss(scores, grid, batch.age_months, head["label_sd_months"])
            values["loss"] = values["loss"] + head["label_weight"] * off
        return values

    def validate(self, batch_size: int, device: torch.device) -> dict[str, float]:
        """MAE in months on the validation part."""
        predicted = predict_ages(self.model, self.validation, batch_size, device)
        return {"mae_months": float(abs(predicted - self.validation.age_months).mean())}
