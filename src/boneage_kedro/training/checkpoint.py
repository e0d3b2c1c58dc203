"""The state of an unfinished training, kept in a file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch

from boneage_kedro.training.progress import State


@dataclass(frozen=True)
class CheckpointFile:
    """A `Checkpoint` in a file that is replaced as a whole, so that a kill never leaves half of one."""

    path: Path

    def beside(self, name: str) -> Self:
        """Another state in a file next to this one, for a part of the work that is kept on its own."""
        return type(self)(self.path.with_name(f"{self.path.stem}_{name}{self.path.suffix}"))

    def load(self) -> State | None:
        """The state that was saved last; None without one. Only tensors and plain values are ever unpickled."""
        if not self.path.exists():
            return None
        state: State = torch.load(self.path, map_location="cpu", weights_only=True)
        return state

    def remove(self) -> None:
        """Forget the state."""
        self.path.unlink(missing_ok=True)

    def save(self, state: State) -> None:
        """Keep this state instead of the one before."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(self.path.name + ".draft")
        torch.save(state, draft)
        draft.replace(self.path)
