"""Masks that people drew, by id, in the frame and at the size of their radiographs."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from boneage_kedro.imaging.ingest import read_content
from boneage_kedro.imaging.radiograph import UnreadableRadiograph
from boneage_kedro.imaging.sources import RadiographSource
from boneage_kedro.masks.label_maps import UnusableMask, read_mask


class MaskFolder(Mapping[str, np.ndarray]):
    """Masks (H, W) uint8 of class codes, 0 the background; each is read and checked when it is asked for.

    Args:
        sources: files by id.
        index: ``id`` and ``source_shape`` of the radiographs, as `ImageStore.index` has them. A mask without a
            radiograph is not in the mapping.
        classes: number of codes in the files, with the background.
        binary: make one class of all but the background.
    """

    def __init__(
        self, sources: Mapping[str, RadiographSource], index: pd.DataFrame, classes: int, binary: bool
    ) -> None:
        shapes = dict(zip(index["id"], index["source_shape"], strict=True))
        self._shapes = {key: tuple(shape) for key, shape in shapes.items() if key in sources}
        self.sources = {key: sources[key] for key in self._shapes}
        self.file_classes, self.binary = classes, binary
        self.without_radiograph = {key: sources[key].name for key in sorted(set(sources) - set(shapes))}

    def __getitem__(self, key: str) -> np.ndarray:
        """One mask.

        Raises:
            UnusableMask: the file cannot be used; the message names it and says why.
        """
        source = self.sources[key]
        try:
            content = read_content(source)
        except UnreadableRadiograph as error:
            raise UnusableMask(str(error)) from error
        return read_mask(content, source.name, self.file_classes, self._shapes[key], self.binary)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.sources))

    def __len__(self) -> int:
        return len(self.sources)
