"""The state of an unfinished training, kept in a file."""

from dataclasses import dataclass
from pathlib import Path

import torch

from boneage_kedro.training.progress import State


@dataclass(frozen=True)
class CheckpointFile:
    """A `Checkpoint` in a file that is replaced as a whole, so that a kill never leaves half of one."""

    path: Path

    def load(self) -> State | None:
        """The state that was saved last; None without one. Only tensors and plain values are ever unpickled."""
        if not self.path.exists():
            return None
        state: State = torch.load(self.path, map_location="cpu", weights_only=True)
        return state

    def save(self, state: State) -> None:
        """Keep this state instead of the one before."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(self.path.name + ".draft")
        torch.save(state, draft)
        draft.replace(self.path)
