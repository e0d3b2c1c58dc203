"""Kedro dataset for a folder through which people are asked for masks."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from kedro.io import AbstractDataset, DatasetError
from kedro.utils import load_obj

from boneage_kedro.masks.drawn.queue import AnnotationQueue


class AnnotationQueueDataset(AbstractDataset[Any, AnnotationQueue]):
    """A handle through which a node asks and reads answers.

    Example:
        .. code-block:: yaml

            hand_queue:
              type: boneage_kedro.datasets.AnnotationQueueDataset
              path: data/01_raw/hand_queue
              labels: { hand: 1 }
              check: boneage_kedro.masks.hand.check.check_hand # refuses masks that cannot be right
    """

    def __init__(
        self,
        path: str,
        labels: Mapping[str, int],
        check: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._path, self._labels = Path(path), dict(labels)
        self._check: Callable[[np.ndarray], None] | None = load_obj(check) if check else None
        self.metadata = metadata

    def load(self) -> AnnotationQueue:
        """The handle; the folder is made when something is asked."""
        return AnnotationQueue(self._path, self._labels, self._check)

    def save(self, data: Any) -> NoReturn:
        """Raises: nodes ask through the handle."""
        raise DatasetError(f"{self._path} is written through its handle")

    def _exists(self) -> bool:
        return self._path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path), "labels": self._labels}
