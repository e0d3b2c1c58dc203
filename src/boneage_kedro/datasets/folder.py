"""Kedro dataset for a folder whose files something else reads."""

from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError


class FolderDataset(AbstractDataset[Any, Path]):
    """A folder by its path, read-only; nothing in it is looked at before it is used.

    Example:
        .. code-block:: yaml

            gold_pairs:
              type: boneage_kedro.datasets.FolderDataset
              path: data/01_raw/hospital/gold_pairs
    """

    def __init__(self, path: str, metadata: dict[str, Any] | None = None) -> None:
        self._path = Path(path)
        self.metadata = metadata

    def load(self) -> Path:
        """Its path, whether it exists or not."""
        return self._path

    def save(self, data: Any) -> NoReturn:
        """Raises: what is in the folder comes from elsewhere."""
        raise DatasetError(f"the folder is read-only here; put files into {self._path} by hand")

    def _exists(self) -> bool:
        return self._path.is_dir()

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path)}
