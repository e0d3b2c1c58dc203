"""The training loop: stages of paced transfer learning, one best checkpoint across them, exact resuming."""

import logging
import math
import time
from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric
from rich.progress import track

from boneage_kedro.models.regressor import AgeRegressor
from boneage_kedro.training.augment import augment
from boneage_kedro.training.batches import AgeSamples, Batch
from boneage_kedro.training.losses import age_loss
from boneage_kedro.training.predict import predict_ages
from boneage_kedro.training.progress import Checkpoint, EpochRecord, Progress, State
from boneage_kedro.training.seeding import derive_seed
from boneage_kedro.training.settings import FitSettings, Recipe, StageSettings

logger = logging.getLogger(__name__)


def fit(
    model: AgeRegressor,
    train: AgeSamples,
    validation: AgeSamples,
    recipe: Recipe,
    checkpoint: Checkpoint,
    fingerprint: str,
) -> list[EpochRecord]:
    """Train stage by stage and leave the weights of the best epoch of all stages in the model.

    Every stage starts from the best weights so far with an optimiser of its own, and ends when the validation
    error has not improved for more than ``patience`` epochs. After each epoch the whole state goes to the
    checkpoint; a run that was killed goes on from there and ends with the same numbers, because every epoch
    draws its random numbers from a seed of its own. The last state stays, so that a finished training is not done
    again when what came after it failed.

    Args:
        fingerprint: names the data and the code's inputs; a checkpoint of another one is not used.

    Raises:
        ValueError: there is no stage, or a part is empty.
        FloatingPointError: a loss is not finite; the message names the cases of the batch.
    """
    stages = recipe["stages"]
    if not stages or not len(train) or not len(validation):
        raise ValueError(
            f"cannot train with {len(stages)} stages, {len(train)} training and {len(validation)} validation "
            "pictures: each must be at least one; see the data_prep report and parameters_ptl_regression.yml"
        )
    state = _resumable(checkpoint, fingerprint)
    progress = Progress.from_state(state["progress"]) if state else Progress()
    settings = recipe["fit"]
    fabric = Fabric(accelerator=settings["accelerator"], devices=1, precision=settings["precision"])
    training = _Training(fabric, model, train, validation, recipe, progress)
    while progress.stage < len(stages):
        _fit_stage(training, checkpoint, fingerprint, state)
        state = None
        progress.next_stage()
        if progress.stage == len(stages):  # of a finished training no more than the result is kept
            checkpoint.save({"fingerprint": fingerprint, "progress": progress.state()})
    model.load_state_dict(progress.best_weights)
    return progress.history


@dataclass(frozen=True)
class _Training:
    """What every stage and epoch needs; only the weights and ``progress`` change."""

    fabric: Fabric
    model: AgeRegressor
    train: AgeSamples
    validation: AgeSamples
    recipe: Recipe
    progress: Progress

    @property
    def stage(self) -> StageSettings:
        return self.recipe["stages"][self.progress.stage]


def _fit_stage(training: _Training, checkpoint: Checkpoint, fingerprint: str, state: State | None) -> None:
    """Train one stage to its end, from its beginning or from a checkpoint's state."""
    model, progress, stage = training.model, training.progress, training.stage
    if state or progress.best_weights:
        model.load_state_dict(state["weights"] if state else progress.best_weights)
    model.free_only(stage["free"])
    wrapped, optimiser = training.fabric.setup(model, _optimiser(model, stage, training.recipe["fit"]))
    if state:
        optimiser.load_state_dict(state["optimiser"])
    while not progress.stage_is_over(stage):
        record = _epoch(training, wrapped, optimiser)
        progress.finish_epoch(record, model)
        _log(record, stage, progress)
        checkpoint.save(
            {
                "fingerprint": fingerprint,
                "weights": model.state_dict(),
                "optimiser": optimiser.state_dict(),
                "progress": progress.state(),
            }
        )


def _epoch(training: _Training, wrapped: Any, optimiser: Any) -> EpochRecord:
    """One pass over the training part and one over the validation part."""
    start = time.perf_counter()
    progress, settings, validation = training.progress, training.recipe["fit"], training.validation
    rate = _set_learning_rate(optimiser, training.stage, progress.epoch_in_stage, settings)
    losses = _train_epoch(training, wrapped, optimiser)
    predicted = predict_ages(training.model, validation, settings["batch_size"], training.fabric.device)
    return EpochRecord(
        epoch=len(progress.history),
        stage=training.stage["name"],
        learning_rate=rate,
        train_loss=losses["loss"],
        train_mae_months=losses["mae_months"],
        validation_mae_months=float(abs(predicted - validation.age_months).mean()),
        seconds=time.perf_counter() - start,
    )


def _train_epoch(training: _Training, wrapped: Any, optimiser: Any) -> dict[str, float]:
    """One pass over the training part in random order; returns the mean of every named loss."""
    settings, stage, progress = training.recipe["fit"], training.stage, training.progress
    seed = derive_seed(settings["seed"], "epoch", len(progress.history))
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)  # dropout
    training.model.train()
    training.model.free_only(stage["free"])
    sums: dict[str, float] = {}
    batches = training.train.batches(settings["batch_size"], training.fabric.device, shuffle=generator)
    label = f"{stage['name']} {progress.epoch_in_stage + 1}/{stage['max_epochs']}"
    count = training.train.batch_count(settings["batch_size"])
    for batch in track(batches, label, total=count, transient=True):
        images = augment(batch.images, training.recipe["augment"], generator)
        losses = age_loss(wrapped(images, batch.is_male), batch.age_months, settings["loss"])
        _check_finite(losses["loss"], batch)
        optimiser.zero_grad()
        training.fabric.backward(losses["loss"])
        optimiser.step()
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + value.item() * len(batch.ids)
    return {name: value / len(training.train) for name, value in sums.items()}


def _resumable(checkpoint: Checkpoint, fingerprint: str) -> State | None:
    state = checkpoint.load()
    if state is None:
        return None
    if state["fingerprint"] != fingerprint:
        logger.info("The checkpoint is of other data, settings or code, and is not used.")
        return None
    logger.info(
        "Going on with a training of the same data, settings and code after %d epochs.",
        len(state["progress"]["history"]),
    )
    return state


def _optimiser(model: AgeRegressor, stage: StageSettings, settings: FitSettings) -> torch.optim.Optimizer:
    free = [p for p in model.parameters() if p.requires_grad]
    rate, decay = stage["learning_rate"], settings["weight_decay"]
    if settings["optimiser"] == "rmsprop":
        return torch.optim.RMSprop(free, lr=rate, weight_decay=decay)
    return torch.optim.AdamW(free, lr=rate, weight_decay=decay)


def _set_learning_rate(optimiser: Any, stage: StageSettings, epoch: int, settings: FitSettings) -> float:
    """Set the rate of an epoch as a function of its number alone, so that resuming needs no scheduler."""
    rate = stage["learning_rate"]
    if settings["schedule"] == "cosine":
        rate *= 0.5 * (1 + math.cos(math.pi * epoch / stage["max_epochs"]))
    for group in optimiser.param_groups:
        group["lr"] = rate
    return rate


def _check_finite(loss: torch.Tensor, batch: Batch) -> None:
    if not torch.isfinite(loss):
        raise FloatingPointError(
            f"the loss is {loss.item()} on the batch of cases {', '.join(batch.ids)}; look at these pictures "
            "and labels, or lower the learning rate"
        )


def _log(record: EpochRecord, stage: StageSettings, progress: Progress) -> None:
    logger.info(
        "%s %d/%d: training MAE %.2f, validation MAE %.2f months%s (%.0f s)",
        stage["name"],
        progress.epoch_in_stage,
        stage["max_epochs"],
        record["train_mae_months"],
        record["validation_mae_months"],
        "" if progress.stale_epochs else ", best so far",
        record["seconds"],
    )
