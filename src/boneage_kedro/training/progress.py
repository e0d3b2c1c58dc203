"""Where a training stands between two epochs."""

import copy
import math
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from torch import Tensor, nn

from boneage_kedro.training.settings import StageSettings

State = dict[str, Any]


class Checkpoint(Protocol):
    """Keeps the state of an unfinished training."""

    def load(self) -> State | None:
        """The state that was saved last, if any."""

    def save(self, state: State) -> None:
        """Keep this state instead of the one before."""


EpochRecord = dict[str, Any]
"""What one epoch gave: ``epoch``, ``stage``, ``learning_rate``, ``train_loss``, ``train_<metric>``,
``validation_<metric>`` and ``seconds``."""


@dataclass
class Progress:
    """Stage, epoch, history and the best weights of any stage so far."""

    stage: int = 0
    epoch_in_stage: int = 0
    stale_epochs: int = 0
    best_error: float = math.inf
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    history: list[EpochRecord] = field(default_factory=list)

    def finish_epoch(self, record: EpochRecord, error: float, model: nn.Module) -> None:
        """Note an epoch; keep its weights when no epoch of any stage was better."""
        self.history.append(record)
        self.epoch_in_stage += 1
        self.stale_epochs += 1
        if error < self.best_error:
            self.best_error = error
            self.best_weights = copy.deepcopy(model.state_dict())
            self.stale_epochs = 0

    def stage_is_over(self, stage: StageSettings) -> bool:
        """The loss has come "to a stable state" (paper 001, section 2.4), or the stage has had its epochs."""
        return self.epoch_in_stage >= stage["max_epochs"] or self.stale_epochs > stage["patience"]

    def next_stage(self) -> None:
        """Go to the stage after this one."""
        self.stage, self.epoch_in_stage, self.stale_epochs = self.stage + 1, 0, 0

    def forget_error(self) -> None:
        """Let the next epoch be the best: its error is on other pictures than those before."""
        self.best_error = math.inf

    def state(self) -> State:
        """Plain values and tensors, for a checkpoint."""
        return dict(vars(self))

    @classmethod
    def from_state(cls, state: State) -> Self:
        """The inverse of `state`."""
        return cls(**state)
