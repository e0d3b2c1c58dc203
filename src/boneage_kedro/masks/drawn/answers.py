"""Masks that people drew, whatever tool they used, in one folder; a bad file does not stop the others."""

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from boneage_kedro.files import DRAFT_SUFFIX, replace_bytes
from boneage_kedro.masks.drawn.label_studio import read_export, result_to_mask
from boneage_kedro.masks.drawn.labelme import read_labelme
from boneage_kedro.masks.label_maps import UnusableMask, check_mask, read_mask

Shapes = Mapping[str, tuple[int, int]]


class Reading(NamedTuple):
    """What a file holds for one picture: a mask (H, W) uint8 of codes, or why there is none.

    ``id`` is what the file goes by, by its name or inside; empty where it does not say.
    """

    file: str
    id: str
    mask: np.ndarray | UnusableMask


class AnswerFolder:
    """Answers by people, in the formats that `AnnotationQueue` lists.

    Args:
        path: of the folder.
        labels: their codes, 1 to as many as there are.
        check: refuses masks that cannot be right, by raising `UnusableMask` with the reason.
    """

    def __init__(
        self, path: Path, labels: Mapping[str, int], check: Callable[[np.ndarray], None] | None
    ) -> None:
        self.path, self._labels, self._check = path, labels, check

    def read(self, shapes: Shapes, keys: Collection[str] | None = None) -> Iterator[Reading]:
        """Read all files: first PNG, then Labelme, then Label Studio, each by name.

        Args:
            shapes: (rows, columns) of all pictures that may be answered, by id.
            keys: leave out the answers for all others; what cannot be told from its name is read all the same.
        """
        wanted = shapes.keys() if keys is None else keys
        for file in self._files(shapes):
            if file.stem in wanted or file.stem not in shapes:
                yield from self._read_file(file, shapes, wanted)

    def write(self, key: str, mask: np.ndarray, shape: tuple[int, int]) -> None:
        """Write ``<id>.png``, which comes first in `read`.

        Raises:
            UnusableMask: the mask could not be read again; nothing is written.
        """
        name = f"{key}.png"
        self._checked(mask, name, shape)
        self.path.mkdir(parents=True, exist_ok=True)
        drawn = 255 * mask if self._binary else mask  # white can be seen
        replace_bytes(self.path / name, encode_png(drawn.astype(np.uint8)))

    @property
    def _binary(self) -> bool:
        return len(self._labels) == 1

    def _files(self, shapes: Shapes) -> list[Path]:
        found = self.path.iterdir() if self.path.is_dir() else ()
        files = [file for file in found if file.suffix != DRAFT_SUFFIX and not file.name.startswith(".")]
        return sorted(files, key=lambda file: (_suffix(file) != ".png", file.stem not in shapes, file.name))

    def _read_file(self, file: Path, shapes: Shapes, wanted: Collection[str]) -> Iterator[Reading]:
        try:
            if _suffix(file) == ".json" and file.stem not in shapes:
                yield from self._read_export(file, shapes, wanted)
            else:
                yield Reading(file.name, file.stem, self._read_one(file, shapes))
        except UnusableMask as error:
            yield Reading(file.name, file.stem, error)

    def _read_one(self, file: Path, shapes: Shapes) -> np.ndarray:
        """A file that answers for the picture it is named after."""
        if _suffix(file) not in {".png", ".json"}:
            raise UnusableMask(
                f"{file.name}: is neither PNG nor JSON; save a mask as PNG, outlines with Labelme"
            )
        if file.stem not in shapes:
            raise UnusableMask(f"{file.name}: {_not_asked(file.stem)}")
        content, shape = read_file(file), shapes[file.stem]
        if _suffix(file) == ".png":
            mask = read_mask(content, file.name, len(self._labels) + 1, shape, self._binary)
        else:
            mask = read_labelme(content, file.name, self._labels, shape, file.stem)
        return self._checked(mask, file.name, shape)

    def _read_export(self, file: Path, shapes: Shapes, wanted: Collection[str]) -> Iterator[Reading]:
        """A file that is not named after a picture: Label Studio's, of any number of pictures."""
        content = read_file(file)
        try:
            answers = list(read_export(content, file.name))
        except UnusableMask as error:
            raise UnusableMask(f"{error}; for a file of Labelme, {_not_asked(file.stem)}") from error
        for key, result in answers:
            if key in wanted or key not in shapes:
                yield Reading(file.name, key, self._draw(file.name, key, result, shapes))

    def _draw(
        self, name: str, key: str, result: list | UnusableMask, shapes: Shapes
    ) -> np.ndarray | UnusableMask:
        if isinstance(result, UnusableMask):
            return result
        part = f"{name}, task of {key}"
        try:
            if key not in shapes:
                raise UnusableMask(f"{part}: {_not_asked(key)}")
            return self._checked(result_to_mask(result, part, self._labels, shapes[key]), part, shapes[key])
        except UnusableMask as error:
            return error

    def _checked(self, mask: np.ndarray, name: str, shape: tuple[int, int]) -> np.ndarray:
        try:
            check_mask(mask, len(self._labels) + 1, shape)
            if self._check is not None:
                self._check(mask)
        except UnusableMask as error:
            raise UnusableMask(f"{name}: {error}") from error
        return mask


def encode_png(pixels: np.ndarray) -> bytes:
    """(H, W) uint8 as the content of a gray PNG file."""
    return cv2.imencode(".png", pixels)[1].tobytes()


def read_file(file: Path) -> bytes:
    """The content of a file that a person wrote.

    Raises:
        UnusableMask: it cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        reason = f"{file.name}: {error.strerror}; see that it is a file that can be read"
        raise UnusableMask(reason) from error


def _suffix(file: Path) -> str:
    return file.suffix.lower()


def _not_asked(key: str) -> str:
    return f"no picture '{key}' was asked for; name the answer after its picture"
