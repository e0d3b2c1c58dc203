"""Kedro dataset for a folder or archive of radiographs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from boneage_kedro.imaging.sources import RadiographFolder, Radiographs


class RadiographFolderDataset(AbstractDataset[Any, Radiographs]):
    """Radiographs by id, found by name and read one at a time when asked for.

    Example:
        .. code-block:: yaml

            raw_radiographs:
              type: boneage_kedro.datasets.RadiographFolderDataset
              path: data/01_raw/hospital   # nested folders are searched; a .zip works too
              exclude: [thumbnails]        # names of folders or files to pass over
              optional: false              # true: a folder that is not there is read as an empty one
    """

    def __init__(
        self,
        path: str,
        exclude: Sequence[str] = (),
        optional: bool = False,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._path = Path(path)
        self._exclude = tuple(exclude)
        self.optional = optional
        self.metadata = metadata

    def load(self) -> Radiographs:
        """The radiographs found now."""
        if self.optional and not self._exists():
            return Radiographs((), self._path.name)
        return RadiographFolder(self._path, self._exclude)

    def save(self, data: Any) -> NoReturn:
        """Raises: raw radiographs are never written."""
        raise DatasetError(f"radiographs are read-only; put files into {self._path} by hand")

    def _exists(self) -> bool:
        return self._path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path), "exclude": self._exclude, "optional": self.optional}
