"""Kedro dataset for partitions of one run alone."""

import shutil
from pathlib import Path
from typing import Any

from kedro_datasets.partitions import PartitionedDataset


class FreshPartitionedDataset(PartitionedDataset):
    """A local partitioned dataset that holds what the last run wrote, and nothing from runs before it.

    A run that wrote nothing leaves no folder.

    A generator node saves part by part, so the folder is emptied before the first part and not before each, as
    ``overwrite: true`` of the class above would.

    Example:
        .. code-block:: yaml

            overlays:
              type: boneage_kedro.datasets.FreshPartitionedDataset
              path: data/08_reporting/overlays
              filename_suffix: .png
              dataset: pillow.ImageDataset
    """

    def __init__(self, *, path: str, **options: Any) -> None:
        super().__init__(path=path, **options)
        self._folder = Path(path)
        self._begun = False

    def save(self, data: dict[str, Any]) -> None:
        """Save some partitions; the first time, remove all that is there."""
        if not self._begun:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._begun = True
        super().save(data)
