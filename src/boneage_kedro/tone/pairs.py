"""Pairs of a hand and its gold, which a person made, and the settings that make the gold again."""

from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Annotated

import numpy as np
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from boneage_kedro.files import DRAFT_SUFFIX, replace_bytes, replace_text
from boneage_kedro.imaging.contrast.tone import HandLevel, ToneSettings, apply_tone, measure_hand
from boneage_kedro.imaging.radiograph import UnreadableRadiograph
from boneage_kedro.imaging.reading import read_radiograph
from boneage_kedro.imaging.sources import fingerprint_content
from boneage_kedro.limits import Within
from boneage_kedro.masks.drawn.answers import encode_png
from boneage_kedro.tone.pictures import fingerprint_picture

Level = Annotated[float, Within(0, 255)]


class PairRecord(TypedDict):
    """How a gold picture was made.

    ``input`` and ``gold`` are fingerprints of the pixels before and of the file afterwards; ``mean`` and ``contrast``
    are the `HandLevel` of the gold.
    """

    settings: ToneSettings
    input: str
    gold: str
    mean: Level
    contrast: Level


_RECORD: TypeAdapter[PairRecord] = TypeAdapter(PairRecord)


class UnusablePair(ValueError):
    """What a folder has for a picture was made by other means or from another picture; the message says which."""


class PairFolder:
    """A folder of pairs that grows picture by picture.

    It holds ``input/<id>.png`` and ``gold/<id>.png``, 8-bit gray and of one size, and ``settings/<id>.json``, a
    `PairRecord`. A picture is done when all three are there. What a person put there by other means is never written
    over.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._saving = Lock()  # requests come in threads

    def record(self, key: str, fingerprint: str) -> PairRecord | None:
        """How the gold of a picture was made, None if that is still to be done.

        Args:
            key: id of the picture.
            fingerprint: of the picture as it is now (`fingerprint_picture`).

        Raises:
            UnusablePair: the folder has something else under this id.
        """
        gold = self.file("gold", key)
        if not gold.exists():
            return None
        record = self._read_record(key)
        if record["gold"] != fingerprint_content(gold.read_bytes()):
            raise UnusablePair(
                f"gold/{gold.name}: is not what its settings have made; remove it to set it anew, or make the gold "
                "again from the settings"
            )
        if record["input"] != fingerprint:
            raise UnusablePair(
                f"gold/{gold.name}: was made from another picture of this name; name another folder for the pairs, "
                "or remove it"
            )
        return record

    def levels(self) -> Iterator[tuple[str, HandLevel]]:
        """Ids of all pairs in the folder, whatever sheet they came from, with mean and contrast of their gold."""
        for file in sorted((self.path / "gold").glob("*.png")):
            try:
                record = self._read_record(file.stem)
            except UnusablePair:  # told where its picture is on the sheet
                continue
            yield file.stem, HandLevel(record["mean"], record["contrast"])

    def save(self, key: str, image: np.ndarray, settings: ToneSettings) -> PairRecord:
        """Write a pair, or write it anew with other settings.

        A kill leaves the pair before, none, or one that `record` refuses.

        Args:
            key: id of the picture, fit for a file's name.
            image: (H, W) uint8, exactly 0 outside the hand.
            settings: for `apply_tone`.

        Raises:
            UnusablePair, UnreadableRadiograph: the folder has something else under this id; nothing is written.
            OSError: the folder cannot be written to.
        """
        with self._saving:
            fingerprint = fingerprint_picture(image)
            self.record(key, fingerprint)
            self._check_input(key, fingerprint)
            return self._write(key, image, settings)

    def remake(self) -> Iterator[tuple[str, str]]:
        """Make every gold picture again from its input and its settings.

        Yields:
            ids, each with what is wrong with it; empty if its gold was made.
        """
        for file in sorted((self.path / "settings").glob("*.json")):
            try:
                self._remake(file.stem)
                yield file.stem, ""
            except (UnusablePair, UnreadableRadiograph) as error:
                yield file.stem, str(error)

    def file(self, kind: str, key: str) -> Path:
        """The ``input``, ``gold`` or ``settings`` of a picture, whether it is there or not."""
        return self.path / kind / f"{key}.{'json' if kind == 'settings' else 'png'}"

    def _remake(self, key: str) -> None:
        record = self._read_record(key)
        self._check_input(key, record["input"])
        self._write(key, read_radiograph(self.file("input", key)).pixels, record["settings"])

    def _check_input(self, key: str, fingerprint: str) -> None:
        file = self.file("input", key)
        if file.exists() and fingerprint_picture(read_radiograph(file).pixels) != fingerprint:
            raise UnusablePair(
                f"input/{file.name}: is not the picture that the settings are for; name another folder for the "
                "pairs, or remove it"
            )

    def _write(self, key: str, image: np.ndarray, settings: ToneSettings) -> PairRecord:
        for kind in ("input", "gold", "settings"):
            (self.path / kind).mkdir(parents=True, exist_ok=True)
        gold = apply_tone(image, settings)
        content, level = encode_png(gold), measure_hand(gold)
        record: PairRecord = {
            "settings": settings,
            "input": fingerprint_picture(image),
            "gold": fingerprint_content(content),
            "mean": level.mean,
            "contrast": level.contrast,
        }
        file = self.file("gold", key)
        draft = file.with_name(file.name + DRAFT_SUFFIX)
        draft.write_bytes(content)  # before the record, so that a full disk fails here
        replace_bytes(self.file("input", key), encode_png(image))
        replace_text(self.file("settings", key), _RECORD.dump_json(record, indent=1).decode() + "\n")
        draft.replace(file)
        return record

    def _read_record(self, key: str) -> PairRecord:
        file = self.file("settings", key)
        try:
            return _RECORD.validate_json(file.read_bytes())
        except FileNotFoundError as error:
            raise UnusablePair(
                f"gold/{key}.png: was not made by this page, there is no settings/{file.name}; remove it to set the "
                "picture here"
            ) from error
        except (ValidationError, OSError) as error:
            raise UnusablePair(
                f"settings/{file.name}: cannot be read; remove it and gold/{key}.png to set the picture anew"
            ) from error
