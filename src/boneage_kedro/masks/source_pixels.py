"""The pixels of a radiograph that is in a store already, from its file."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from boneage_kedro.imaging.ingest import read_content
from boneage_kedro.imaging.radiograph import UnreadableRadiograph
from boneage_kedro.imaging.reading import read_radiograph
from boneage_kedro.imaging.sources import RadiographSource


def read_again(
    key: str, record: Mapping[str, Any], radiographs: Mapping[str, RadiographSource]
) -> np.ndarray:
    """The pixels of a case, (H, W).

    Args:
        record: of the case in the store, with its ``file``.

    Raises:
        UnreadableRadiograph: the file is gone, or cannot be read any more.
    """
    if key not in radiographs:
        raise UnreadableRadiograph(
            f"{record['file']}: the file is gone; bring it back, or run the pipeline data_prep again"
        )
    source = radiographs[key]
    return read_radiograph(read_content(source), source.name).pixels
