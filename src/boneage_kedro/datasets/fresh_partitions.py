"""Kedro dataset for partitions of one run alone."""

import json
import shutil
from pathlib import Path
from typing import Any

from kedro.io import DatasetError
from kedro_datasets.partitions import PartitionedDataset

from boneage_kedro.files import WRITTEN_BY_RUNS, read_whole_lines

_OF_DESKTOPS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""Files that desktops leave in folders that were looked at."""


class FreshPartitionedDataset(PartitionedDataset):
    """A local partitioned dataset that holds what the last run wrote, and nothing from runs before it.

    A generator node saves part by part, so what earlier runs wrote is removed before the first part and not before
    each, as ``overwrite: true`` of the class above would. No other file is touched: the names of what runs wrote are
    kept beside it. A run that wrote nothing leaves no folder.

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
        """Save some partitions; the first time, remove those of earlier runs.

        Raises:
            DatasetError: there are files that no run wrote; nothing is removed then.
        """
        if not self._begun:
            self._remove_earlier()
            self._begun = True
        if not data:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        # entered before they are saved: a kill may leave half a file
        with (self._folder / WRITTEN_BY_RUNS).open("a", encoding="utf-8") as ledger:
            ledger.writelines(json.dumps(f"{key}{self._filename_suffix}") + "\n" for key in data)
        super().save(data)

    def check_place(self) -> None:
        """See that what is there may be removed.

        Raises:
            DatasetError: there are files that no run wrote.
        """
        ledger = self._folder / WRITTEN_BY_RUNS
        ours = {ledger, *(self._folder / json.loads(line) for line in read_whole_lines(ledger))}
        files = {
            file for file in self._folder.rglob("*") if not file.is_dir() and file.name not in _OF_DESKTOPS
        }
        if foreign := sorted(file.relative_to(self._folder).as_posix() for file in files - ours):
            raise DatasetError(
                f"{self._folder} is to hold what this run writes and nothing else, but {foreign[0]} there was not "
                f"written by a run (of such files: {len(foreign)}): name another place to write to, or move them"
            )

    def _remove_earlier(self) -> None:
        if self._folder.exists():
            self.check_place()
            shutil.rmtree(self._folder)
