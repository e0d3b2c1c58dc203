"""Kedro dataset for the record of how results were made."""

from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from boneage_kedro.lineage import Lineage


class LineageDataset(AbstractDataset[Any, Lineage]):
    """A handle to the record beside the results of a run, which `boneage_kedro.freshness` keeps.

    Example:
        .. code-block:: yaml

            lineage:
              type: boneage_kedro.datasets.LineageDataset
              filepath: data/02_intermediate/phantom/lineage.json
    """

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> Lineage:
        """The handle; nothing is read yet."""
        return Lineage(self._filepath)

    def save(self, data: Any) -> NoReturn:
        """Raises: the record is kept through its handle."""
        raise DatasetError(f"{self._filepath} is written through its handle")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
