"""Kedro dataset for the state of an unfinished training."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

if TYPE_CHECKING:
    from boneage_kedro.training.checkpoint import CheckpointFile


class CheckpointDataset(AbstractDataset[Any, "CheckpointFile"]):
    """A handle that a training node saves to after every epoch, and loads from when it was killed.

    Example:
        .. code-block:: yaml

            ptl_checkpoint:
              type: boneage_kedro.datasets.CheckpointDataset
              filepath: data/06_models/ptl_checkpoint.pt
    """

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> "CheckpointFile":
        """The handle; nothing is read yet."""
        from boneage_kedro.training.checkpoint import CheckpointFile  # noqa: PLC0415  (brings torch)

        return CheckpointFile(self._filepath)

    def save(self, data: Any) -> NoReturn:
        """Raises: the training itself saves, through the handle."""
        raise DatasetError(f"{self._filepath} is written by the training through its handle")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
