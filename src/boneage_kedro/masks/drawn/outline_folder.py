"""A folder of Labelme files, such as ``data/annotations/dru``, as masks of the radiographs at hand.

The files hold outlines alone; they fit the radiographs at whatever size these are: the original, or a smaller copy.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from boneage_kedro.cohort.splits import Split
from boneage_kedro.imaging.formats.decoding import MAX_PIXELS
from boneage_kedro.imaging.sources import FileSource
from boneage_kedro.masks.drawn.labelme import read_labelme
from boneage_kedro.masks.drawn.shapes import parse_json
from boneage_kedro.masks.fit import fit_mask
from boneage_kedro.masks.folder import MaskFolder
from boneage_kedro.masks.label_maps import UnusableMask

_PARTS = {"training": Split.TRAIN, "validation": Split.VALIDATION, "test": Split.TEST}


class OutlineFolder(MaskFolder):
    """Masks (H, W) uint8 from outlines, by id, each read, checked and fitted when it is asked for (`read_outlines`).

    Args:
        path: of the folder with ``<id>.json``; other files and folders in it are passed over.
        index: ``id`` and ``source_shape`` of the radiographs, as `ImageStore.index` has them. A file without a
            radiograph is not in the mapping.
        labels: codes of the labels, 1 to as many as there are.

    Raises:
        FileNotFoundError: there is no such folder.
    """

    def __init__(self, path: Path, index: pd.DataFrame, labels: Mapping[str, int]) -> None:
        if not path.is_dir():
            raise FileNotFoundError(f"{path}: there is no such folder; put the Labelme files there")
        files = {file.stem: FileSource(file, file.name) for file in sorted(path.glob("*.json"))}
        super().__init__(files, index, len(labels) + 1, binary=False, resize=True)
        self.labels = dict(labels)

    @property
    def reading(self) -> dict[str, Any]:
        """How files are read, as plain values."""
        return {"labels": self.labels}

    def _read(self, content: bytes, name: str, key: str, shape: tuple[int, int]) -> np.ndarray:
        return read_outlines(content, name, self.labels, shape, key)


def read_outlines(
    content: bytes, name: str, labels: Mapping[str, int], source_shape: tuple[int, int], key: str
) -> np.ndarray:
    """Read a Labelme file as a mask of the radiograph at hand, whatever size that had when it was drawn on.

    The outlines are filled at the size that the file states, and the mask is then scaled by the shares of its pixels
    (`fit_mask`); rows and columns may be scaled by different factors, since copies are rounded to whole pixels.

    Args:
        content: of the file.
        name: what error messages call the file.
        labels: codes of the labels, all of which the file must have.
        source_shape: (rows, columns) of the radiograph.
        key: the radiograph's id.

    Returns:
        (rows, columns) uint8 of codes, 0 the background.

    Raises:
        UnusableMask: as `read_labelme` and `fit_mask`; the file states no size of a picture; or a label is missing,
            covered by others, or too small at this size.
    """
    try:
        drawn_shape = _stated_shape(parse_json(content)) or source_shape
    except UnusableMask as error:
        raise UnusableMask(f"{name}: {error}") from error
    drawn = read_labelme(content, name, labels, drawn_shape, key)
    try:
        _check_labels(drawn, labels, "is not outlined, or lies below others; draw it, or remove the file")
        fitted = fit_mask(drawn, source_shape)
        _check_labels(fitted, labels, f"is too small at {source_shape[1]} x {source_shape[0]} pixels")
    except UnusableMask as error:
        raise UnusableMask(f"{name}: {error}") from error
    return fitted


def read_parts(table: pd.DataFrame, ids: Collection[str]) -> pd.DataFrame:
    """The parts of outlined radiographs (``splits.csv``: ``id``, ``part``) under this project's names.

    Args:
        table: as text, so that ids keep their zeros; parts are training, validation and test.
        ids: of all outlined radiographs.

    Returns:
        ``id``, ``split`` (see `boneage_kedro.cohort.splits.Split`), in the order of the table.

    Raises:
        ValueError: a column is missing, a part is unknown, or an id is in the table twice or not at all, or has no
            outlines.
    """
    if missing := {"id", "part"} - set(table.columns):
        raise ValueError(f"the table of parts has no column {' and no '.join(sorted(missing))}; add it")
    keys, parts = table["id"].astype(str), table["part"].astype(str)
    faults = {
        f"unknown parts, none of {', '.join(_PARTS)}": sorted(set(parts) - set(_PARTS)),
        "ids in it more than once": sorted(keys[keys.duplicated()].unique()),
        "ids without outlines": sorted(set(keys) - set(ids)),
        "outlines without a part": sorted(set(ids) - set(keys)),
    }
    found = [f"{fault}: {', '.join(names[:5])}" for fault, names in faults.items() if names]
    if found:
        raise ValueError(
            f"the table of parts does not fit the outlines; {'; '.join(found)}. Correct the table"
        )
    return pd.DataFrame({"id": keys, "split": parts.map(lambda part: _PARTS[part].value)})


def _stated_shape(file: Any) -> tuple[int, int] | None:
    """(rows, columns) of the picture that was drawn on; None where an old version of Labelme does not say."""
    shape = [file.get(side) if isinstance(file, dict) else None for side in ("imageHeight", "imageWidth")]
    if shape == [None, None]:
        return None
    rows, columns = shape
    if not (isinstance(rows, int) and isinstance(columns, int) and rows > 0 and columns > 0):
        raise UnusableMask(
            f"says that its picture has {columns} x {rows} pixels; save it with Labelme on the radiograph"
        )
    if rows * columns > MAX_PIXELS:
        raise UnusableMask(
            f"says that its picture has {columns} x {rows} pixels, more than the limit of {MAX_PIXELS:,}"
        )
    return rows, columns


def _check_labels(mask: np.ndarray, labels: Mapping[str, int], fault: str) -> None:
    present = set(np.unique(mask).tolist())
    absent = [label for label, code in labels.items() if code and code not in present]
    if absent:
        raise UnusableMask(f"{' and '.join(absent)} {fault}")
