"""Masks that people drew, by id, in the frame and at the size of their radiographs."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from boneage_kedro.imaging.ingest import read_content
from boneage_kedro.imaging.radiograph import UnreadableRadiograph
from boneage_kedro.imaging.sources import RadiographSource
from boneage_kedro.masks.fit import fit_mask
from boneage_kedro.masks.label_maps import UnusableMask, read_mask


class MaskFolder(Mapping[str, np.ndarray]):
    """Masks (H, W) uint8 of class codes, 0 the background; each is read and checked when it is asked for.

    Args:
        sources: files by id.
        index: ``id`` and ``source_shape`` of the radiographs, as `ImageStore.index` has them. A mask without a
            radiograph is not in the mapping.
        classes: number of codes in the files, with the background.
        binary: make one class of all but the background.
        resize: bring masks of another size to their radiographs (`fit_mask`); else they cannot be used.
    """

    def __init__(
        self,
        sources: Mapping[str, RadiographSource],
        index: pd.DataFrame,
        classes: int,
        binary: bool,
        resize: bool,
    ) -> None:
        shapes = dict(zip(index["id"], index["source_shape"], strict=True))
        self._shapes = {key: tuple(shape) for key, shape in shapes.items() if key in sources}
        self.sources = {key: sources[key] for key in self._shapes}
        self.file_classes, self.binary, self.resize = classes, binary, resize
        self.without_radiograph = {key: sources[key].name for key in sorted(set(sources) - set(shapes))}

    def __getitem__(self, key: str) -> np.ndarray:
        """One mask.

        Raises:
            UnusableMask: the file cannot be used; the message names it and says why.
        """
        source, shape = self.sources[key], self._shapes[key]
        try:
            content = read_content(source)
        except UnreadableRadiograph as error:
            raise UnusableMask(str(error)) from error
        return self._read(content, source.name, key, shape)

    @property
    def reading(self) -> dict[str, Any]:
        """How files are read, as plain values: masks that were read in another way are of no use."""
        return {"classes": self.file_classes, "binary": self.binary, "resize": self.resize}

    def _read(self, content: bytes, name: str, key: str, shape: tuple[int, int]) -> np.ndarray:
        if not self.resize:
            return read_mask(content, name, self.file_classes, shape, self.binary)
        drawn = read_mask(content, name, self.file_classes, None, self.binary)
        try:
            return fit_mask(drawn, shape)
        except UnusableMask as error:
            raise UnusableMask(f"{name}: {error}") from error

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.sources))

    def __len__(self) -> int:
        return len(self.sources)
