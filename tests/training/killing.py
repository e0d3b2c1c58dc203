"""A process that ends in the middle of its work."""

from typing import Any

from boneage_kedro.training.checkpoint import CheckpointFile


class Killed(Exception):
    """Stands for the end of the process."""


class KillingFile(CheckpointFile):
    """A checkpoint file whose process ends after so many saves, those of the files beside it counted in."""

    saves_left: list[int]

    def save(self, state: dict[str, Any]) -> None:
        super().save(state)
        self.saves_left[0] -= 1
        if not self.saves_left[0]:
            raise Killed
