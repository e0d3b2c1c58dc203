"""The pictures whose tone a person sets: hands that were cut out, as gray PNG files of one folder."""

from pathlib import Path

import numpy as np

from boneage_kedro.imaging.contrast.tone import to_8_bits
from boneage_kedro.imaging.formats import png
from boneage_kedro.imaging.ingest import read_content
from boneage_kedro.imaging.radiograph import UnreadableRadiograph
from boneage_kedro.imaging.reading import read_radiograph
from boneage_kedro.imaging.sources import RadiographFolder, RadiographSource, fingerprint_content

MAX_SIDE_PX = 4096  # what a page can redraw while a slider moves
_EXPORT = "export it as 8 or 16-bit gray PNG"


class PictureFolder:
    """Hands by id, which is the file's name without its suffix; all are read once to know which can be used.

    Attributes:
        shapes: (rows, columns) by id, in order of their names.
        fingerprints: of their gray levels, by id.
        problems: what is wrong with the other files, a sentence each.

    Raises:
        FileNotFoundError: there is no such folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shapes: dict[str, tuple[int, int]] = {}
        self.fingerprints: dict[str, str] = {}
        self.problems: list[str] = []
        self._sources = RadiographFolder(path)
        for key, source in self._sources.items():
            try:
                _check_id(key, source.name)
                image = _read(source)
            except UnreadableRadiograph as error:
                self.problems.append(str(error))
            else:
                self.shapes[key] = (image.shape[0], image.shape[1])
                self.fingerprints[key] = fingerprint_picture(image)
        for names in self._sources.duplicates.values():
            self.problems.append(
                f"{', '.join(names)}: have one name; only {names[0]} is used, rename the others"
            )

    def read(self, key: str) -> np.ndarray:
        """One hand, (H, W) uint8; of 16 bits it is brought to 8 (`to_8_bits`).

        Raises:
            KeyError: there is none of that id.
            UnreadableRadiograph: the file was changed since it was read first.
        """
        if key not in self.fingerprints:
            raise KeyError(f"{key}: there is no such picture in {self.path}")
        image = _read(self._sources[key])
        if fingerprint_picture(image) != self.fingerprints[key]:
            raise UnreadableRadiograph(
                f"{self._sources[key].name}: has changed since the page was started; start it again"
            )
        return image


def fingerprint_picture(image: np.ndarray) -> str:
    """The size and a checksum of gray levels (H, W) uint8, not of the file, which a copy may pack in another way."""
    return f"{image.shape[1]}x{image.shape[0]}-{fingerprint_content(np.ascontiguousarray(image).tobytes())}"


def _read(source: RadiographSource) -> np.ndarray:
    content = read_content(source)
    if not content.startswith(png.MAGIC):
        raise UnreadableRadiograph(f"{source.name}: is not a PNG file, whatever its name says; {_EXPORT}")
    pixels = read_radiograph(content, source.name).pixels
    if not png.is_gray(content):
        raise UnreadableRadiograph(f"{source.name}: is in colour or has transparency; {_EXPORT}")
    if max(pixels.shape) > MAX_SIDE_PX:
        raise UnreadableRadiograph(
            f"{source.name}: is {pixels.shape[1]} x {pixels.shape[0]} pixels, more than {MAX_SIDE_PX} on a side; "
            "cut the hand out or scale it down"
        )
    if not pixels.any():
        raise UnreadableRadiograph(f"{source.name}: is black all over; there is no hand to adjust")
    return to_8_bits(pixels)


def _check_id(key: str, name: str) -> None:
    """Refuse an id that would hide the files of its pair, or could not be read on the page."""
    if not key or key.startswith(".") or not key.isprintable():
        raise UnreadableRadiograph(f"{name}: has a name that cannot be used; rename it")
