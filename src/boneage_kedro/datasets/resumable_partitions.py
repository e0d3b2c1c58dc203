"""Kedro datasets for partitions that a generator node writes over several runs."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError
from kedro_datasets.partitions import PartitionedDataset

from boneage_kedro.files import read_whole_lines, replace_text

_HEADER, _LEDGER = "made_by.json", "done.txt"


@dataclass(frozen=True)
class Parts:
    """Some partitions, what made them, and whether all are there after them."""

    made_by: str
    items: dict[str, Any]
    last: bool = False


@dataclass(frozen=True)
class PartsState:
    """What is there already: the name of what made it, and the partitions' ids."""

    made_by: str = ""
    ids: frozenset[str] = field(default_factory=frozenset)


class ResumablePartitionedDataset(PartitionedDataset):
    """A local partitioned dataset to which a generator node adds part by part, going on after a kill.

    Partitions that something else made are removed before the first save. It exists once the last part is saved.

    Example:
        .. code-block:: yaml

            masks:
              type: boneage_kedro.datasets.ResumablePartitionedDataset
              path: data/07_model_output/masks
              filename_suffix: .png
              dataset: pillow.ImageDataset
    """

    def __init__(self, *, path: str, **options: Any) -> None:
        super().__init__(path=path, **options)
        self._folder = Path(path)

    def save(self, data: Parts) -> None:
        """Add partitions to those of the same making."""
        if _read_header(self._folder).get("made_by") != data.made_by:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
        _write_header(self._folder, data.made_by, finished=False)
        super().save(data.items)
        # a partition counts once it is in the ledger: a kill may leave half a file
        with (self._folder / _LEDGER).open("a", encoding="utf-8") as ledger:
            ledger.writelines(f"{key}\n" for key in data.items)
        if data.last:
            _write_header(self._folder, data.made_by, finished=True)

    def _exists(self) -> bool:
        return bool(_read_header(self._folder).get("finished"))


class PartsStateDataset(AbstractDataset[Any, PartsState]):
    """What a `ResumablePartitionedDataset` in a folder holds already.

    Example:
        .. code-block:: yaml

            masks_state:
              type: boneage_kedro.datasets.PartsStateDataset
              path: data/07_model_output/masks
    """

    def __init__(self, path: str, metadata: dict[str, Any] | None = None) -> None:
        self._path = Path(path)
        self.metadata = metadata

    def load(self) -> PartsState:
        """Empty when there is nothing yet."""
        made_by = _read_header(self._path).get("made_by", "")
        return PartsState(made_by, frozenset(read_whole_lines(self._path / _LEDGER)))

    def save(self, data: Any) -> NoReturn:
        """Raises: the state is that of the partitions."""
        raise DatasetError("the state of partitions is not saved; save to ResumablePartitionedDataset")

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path)}


def _read_header(folder: Path) -> dict[str, Any]:
    file = folder / _HEADER
    state: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return state


def _write_header(folder: Path, made_by: str, *, finished: bool) -> None:
    replace_text(folder / _HEADER, json.dumps({"made_by": made_by, "finished": finished}))
