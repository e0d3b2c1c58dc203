"""Kedro dataset for a file whose content is made elsewhere."""

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset


class FileBytesDataset(AbstractDataset[bytes, bytes]):
    """A local file as bytes.

    Example:
        .. code-block:: yaml

            dicom_results:
              type: boneage_kedro.datasets.FreshPartitionedDataset
              path: data/08_reporting/dicom
              filename_suffix: .dcm
              dataset: boneage_kedro.datasets.FileBytesDataset
    """

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> bytes:
        """The whole file."""
        return self._filepath.read_bytes()

    def save(self, data: bytes) -> None:
        """Write the file anew."""
        self._filepath.parent.mkdir(parents=True, exist_ok=True)
        self._filepath.write_bytes(data)

    def _exists(self) -> bool:
        return self._filepath.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
