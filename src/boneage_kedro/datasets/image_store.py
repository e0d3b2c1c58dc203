"""Kedro datasets for the image store: one for its pictures, one for what it holds already."""

from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from boneage_kedro.imaging.store import (
    ImageStore,
    ImageStoreWriter,
    StoreChunk,
    StoreMissing,
    StoreState,
    is_finished,
    read_state,
)


class ImageStoreDataset(AbstractDataset[StoreChunk, ImageStore]):
    """Prepared radiographs in one memory-mapped file, saved chunk by chunk by a generator node.

    Args:
        made_by: the pipeline to run where there is no store.

    Example:
        .. code-block:: yaml

            hand_store:
              type: boneage_kedro.datasets.ImageStoreDataset
              path: data/05_model_input/hand_store
              made_by: hand_active_learning
    """

    def __init__(self, path: str, made_by: str = "data_prep", metadata: dict[str, Any] | None = None) -> None:
        self._path, self._made_by = Path(path), made_by
        self._writer: ImageStoreWriter | None = None
        self.metadata = metadata

    def load(self) -> ImageStore:
        """The store for reading; no pixel is read yet.

        Raises:
            StoreMissing: says which pipeline makes it.
        """
        try:
            return ImageStore(self._path)
        except StoreMissing as error:
            raise StoreMissing(f"{error}; run the pipeline {self._made_by}") from None

    def save(self, data: StoreChunk) -> None:
        """Append a chunk; the store stays open for writing until the last one."""
        if self._writer is None:
            self._writer = ImageStoreWriter(self._path, data.header)
        self._writer.append(data.entries)
        if data.last:
            self._writer.finish()
            self._release()

    def _release(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _exists(self) -> bool:
        return is_finished(self._path)

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path)}


class ImageStoreStateDataset(AbstractDataset[Any, StoreState]):
    """What the image store in a folder holds already, so that a node can go on where another run ended.

    Example:
        .. code-block:: yaml

            image_store_state:
              type: boneage_kedro.datasets.ImageStoreStateDataset
              path: data/03_primary/image_store
    """

    def __init__(self, path: str, metadata: dict[str, Any] | None = None) -> None:
        self._path = Path(path)
        self.metadata = metadata

    def load(self) -> StoreState:
        """Empty when there is no store yet."""
        return read_state(self._path)

    def save(self, data: Any) -> NoReturn:
        """Raises: the state is that of the store."""
        raise DatasetError("the state of an image store is not saved; save to ImageStoreDataset")

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path)}
