"""The training loop: stages one after the other, one best checkpoint across them, exact resuming."""

import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import torch
from lightning_fabric import Fabric
from rich.progress import track
from torch import Tensor, nn

from boneage_kedro.training.averaging import WeightAverage
from boneage_kedro.training.optimisers import new_optimiser, set_rate
from boneage_kedro.training.progress import Checkpoint, EpochRecord, Progress, State
from boneage_kedro.training.seeding import derive_seed
from boneage_kedro.training.settings import FitSettings, StageSettings

logger = logging.getLogger(__name__)


class Batch(Protocol):
    """What the loop must know of a batch."""

    @property
    def ids(self) -> list[str]:
        """The cases in it."""


BatchT = TypeVar("BatchT", bound=Batch)


class Task(Protocol[BatchT]):
    """A network with what it learns from: all that differs from one kind of training to another."""

    @property
    def model(self) -> nn.Module:
        """The network; its weights change in place."""

    @property
    def metric(self) -> str:
        """What training and validation report, such as ``mae_months``."""

    @property
    def higher_is_better(self) -> bool:
        """Which way the metric gets better."""

    def begin_stage(self, stage: Any) -> None:
        """Bring the network into training mode, and let only the parts learn that the stage frees."""

    def measured_on(self, stage: Any) -> Any:
        """What the metric of a stage is measured on; errors on something else are not compared with it."""

    def batch_count(self, batch_size: int) -> int:
        """How many batches `batches` gives."""

    def batches(self, batch_size: int, device: torch.device, shuffle: torch.Generator) -> Iterator[BatchT]:
        """The training batches of one epoch."""

    def losses(self, network: Any, batch: BatchT, generator: torch.Generator) -> dict[str, Tensor]:
        """Named values of a batch: ``loss``, which is minimised, and the metric."""

    def validate(self, batch_size: int, device: torch.device) -> dict[str, float]:
        """Named values on the validation part: the metric, and what else the history shall have."""


def train(
    task: Task[Any],
    stages: Sequence[StageSettings],
    settings: FitSettings,
    checkpoint: Checkpoint,
    fingerprint: str,
    ema_decay: float = 0.0,
) -> list[EpochRecord]:
    """Train stage by stage and leave the weights of the best epoch of all stages in the model.

    Every stage starts from the best weights so far with an optimiser of its own, and ends when the validation
    metric has not improved for more than ``patience`` epochs. With the schedule ``cosine_overall`` stages are
    steps of one training, so the next goes on from the last weights: a step that is worse at first is not taken
    back. Errors that are measured on different things are not compared: the result is the best epoch since that
    last changed. After each epoch the whole state goes to the checkpoint; a run that was killed goes on from
    there and ends with the same numbers, because every epoch draws its random numbers from a seed of its own. The
    last state stays, so that a finished training is not done again when what came after it failed.

    Args:
        fingerprint: names the data and the code's inputs; a checkpoint of another one is not used.
        ema_decay: of the running mean of the weights, which is then validated and kept; 0: the weights themselves.

    Raises:
        ValueError: there is no stage.
        FloatingPointError: a loss is not finite; the message names the cases of the batch.
    """
    if not stages:
        raise ValueError("cannot train without a stage; give at least one in the parameters")
    state = resumable(checkpoint, fingerprint)
    progress = Progress.from_state(state["progress"]) if state else Progress()
    fabric = Fabric(accelerator=settings["accelerator"], devices=1, precision=settings["precision"])
    training = _Training(fabric, task, stages, settings, progress, ema_decay)
    while progress.stage < len(stages):
        _train_stage(training, checkpoint, fingerprint, state)
        state = None
        progress.next_stage()
        if progress.stage < len(stages) and not _comparable(
            task, *stages[progress.stage - 1 : progress.stage + 1]
        ):
            progress.forget_error()
        if progress.stage == len(stages):  # of a finished training no more than the result is kept
            checkpoint.save({"fingerprint": fingerprint, "progress": progress.state()})
    task.model.load_state_dict(progress.best_weights)
    return progress.history


def _comparable(task: Task[Any], before: StageSettings, after: StageSettings) -> bool:
    return bool(task.measured_on(before) == task.measured_on(after))


@dataclass(frozen=True)
class _Training(Generic[BatchT]):
    """What every stage and epoch needs; only the weights and ``progress`` change."""

    fabric: Fabric
    task: Task[BatchT]
    stages: Sequence[StageSettings]
    settings: FitSettings
    progress: Progress
    ema_decay: float

    @property
    def stage(self) -> StageSettings:
        return self.stages[self.progress.stage]


def _train_stage(
    training: _Training[Any], checkpoint: Checkpoint, fingerprint: str, state: State | None
) -> None:
    """Train one stage to its end, from its beginning or from a checkpoint's state."""
    model, progress, stage = training.task.model, training.progress, training.stage
    goes_on = training.settings["schedule"] == "cosine_overall"
    if state:
        model.load_state_dict(state["weights"])
    elif progress.best_weights and not goes_on:
        model.load_state_dict(progress.best_weights)
    training.task.begin_stage(stage)
    wrapped, optimiser = training.fabric.setup(model, new_optimiser(model, stage, training.settings))
    average = WeightAverage(model, training.ema_decay)
    if state:
        optimiser.load_state_dict(state["optimiser"])
        average.restore(state["average"])
    while not progress.stage_is_over(stage):
        record = _epoch(training, wrapped, optimiser, average)
        _log(record, training)
        checkpoint.save(
            {
                "fingerprint": fingerprint,
                "weights": model.state_dict(),
                "optimiser": optimiser.state_dict(),
                "average": average.state(),
                "progress": progress.state(),
            }
        )


def _epoch(training: _Training[Any], wrapped: Any, optimiser: Any, average: WeightAverage) -> EpochRecord:
    """One pass over the training part and one over the validation part."""
    start = time.perf_counter()
    task, progress, settings = training.task, training.progress, training.settings
    rate = training.stage["learning_rate"] * _rate_factor(training)
    set_rate(optimiser, rate)
    means = _train_epoch(training, wrapped, optimiser, average)
    with average.applied():
        found = task.validate(settings["batch_size"], training.fabric.device)
        metric = found[task.metric]
        record = {
            "epoch": len(progress.history),
            "stage": training.stage["name"],
            "learning_rate": rate,
            **{f"train_{name}": value for name, value in means.items()},
            **{f"validation_{name}": value for name, value in found.items()},
            "seconds": time.perf_counter() - start,
        }
        progress.finish_epoch(record, -metric if task.higher_is_better else metric, task.model)
    return record


def _train_epoch(
    training: _Training[Any], wrapped: Any, optimiser: Any, average: WeightAverage
) -> dict[str, float]:
    """One pass over the training part in random order; returns the mean of every named value over cases."""
    task, settings, stage, progress = training.task, training.settings, training.stage, training.progress
    seed = derive_seed(settings["seed"], "epoch", len(progress.history))
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)  # dropout
    task.begin_stage(stage)  # validation has left the network in evaluation mode
    sums: dict[str, float] = {}
    cases = 0
    batches = task.batches(settings["batch_size"], training.fabric.device, generator)
    label = f"{stage['name']} {progress.epoch_in_stage + 1}/{stage['max_epochs']}"
    for batch in track(batches, label, total=task.batch_count(settings["batch_size"]), transient=True):
        values = task.losses(wrapped, batch, generator)
        check_finite(values["loss"], batch)
        optimiser.zero_grad()
        training.fabric.backward(values["loss"])
        optimiser.step()
        average.update()
        cases += len(batch.ids)
        for name, value in values.items():
            sums[name] = sums.get(name, 0.0) + value.item() * len(batch.ids)
    return {name: value / cases for name, value in sums.items()}


def resumable(checkpoint: Checkpoint, fingerprint: str) -> State | None:
    """The state that a killed or finished training of this fingerprint left in a checkpoint."""
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


def _rate_factor(training: _Training[Any]) -> float:
    """Part of the stage's rate that its epoch learns at: a function of the epoch's place alone, so that resuming
    needs no scheduler.
    """
    schedule, progress = training.settings["schedule"], training.progress
    if schedule == "constant":
        return 1.0
    lengths = [stage["max_epochs"] for stage in training.stages]
    before, length = 0, lengths[progress.stage]
    if schedule == "cosine_overall":
        before, length = sum(lengths[: progress.stage]), sum(lengths)
    return 0.5 * (1 + math.cos(math.pi * (before + progress.epoch_in_stage) / length))


def check_finite(loss: torch.Tensor, batch: Batch) -> None:
    """See that a loss can be learnt from.

    Raises:
        FloatingPointError: it is not finite; the message names the cases of the batch.
    """
    if not torch.isfinite(loss):
        raise FloatingPointError(
            f"the loss is {loss.item()} on the batch of cases {', '.join(batch.ids)}; look at these pictures "
            "and labels, or lower the learning rate"
        )


def _log(record: EpochRecord, training: _Training[Any]) -> None:
    metric, progress, stage = training.task.metric, training.progress, training.stage
    logger.info(
        "%s %d/%d: %s in training %.4g, in validation %.4g%s (%.0f s)",
        stage["name"],
        progress.epoch_in_stage,
        stage["max_epochs"],
        metric.replace("_", " "),
        record[f"train_{metric}"],
        record[f"validation_{metric}"],
        "" if progress.stale_epochs else ", best so far",
        record["seconds"],
    )
