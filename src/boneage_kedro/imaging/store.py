"""The image store: prepared radiographs of one size in one file that training maps into memory.

A store is a folder. ``pixels.u8`` holds the pictures one after the other, ``ledger.jsonl`` says what each row is,
and ``store.json`` what all have in common. A picture counts once its line in the ledger is whole, so a writer that
is killed at any point loses at most the picture it was at, and the next one goes on from there.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout

from boneage_kedro.files import read_whole_lines, replace_text
from boneage_kedro.imaging.geometry import rescale_transform
from boneage_kedro.provenance import digest, fingerprint

FORMAT = 2
_PIXELS, _LEDGER, _HEADER, _LOCK = "pixels.u8", "ledger.jsonl", "store.json", "lock"


class StoreInUse(RuntimeError):
    """Another process writes to the store."""


class StoreMissing(FileNotFoundError):
    """There is no finished store in the folder."""


@dataclass(frozen=True)
class StoreHeader:
    """What all pictures of a store have in common.

    Attributes:
        canvas_px: side of every picture.
        preparation: the settings that made them, plain values; other settings make another store.
        code: fingerprint of the code that made them; other code makes another store.
    """

    canvas_px: int
    preparation: dict[str, Any]
    code: str = ""


@dataclass(frozen=True)
class StoreEntry:
    """One radiograph on its way into the store: a picture, or the reason why there is none.

    Attributes:
        source: fingerprint of the file it came from; when that changes, it is read again.
        image: (canvas_px, canvas_px) uint8.
        record: plain values about the picture or the file.
    """

    id: str
    source: str
    image: np.ndarray | None = None
    record: dict[str, Any] = field(default_factory=dict)
    failure: str = ""


@dataclass(frozen=True)
class StoreChunk:
    """Entries that are added at once; ``last`` says that the store is whole after them."""

    header: StoreHeader
    entries: Sequence[StoreEntry]
    last: bool = False


@dataclass(frozen=True)
class StoreState:
    """What a store holds already: fingerprints of the sources by id; failures are to be tried again."""

    header: StoreHeader | None = None
    sources: dict[str, str] = field(default_factory=dict)


class ImageStoreWriter:
    """Appends to a store, going on where an earlier writer ended; a store of another header is begun anew.

    Raises:
        StoreInUse: another process has the store open for writing.
    """

    def __init__(self, folder: Path, header: StoreHeader) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._header = folder, header
        self._lock = _take_lock(folder)
        if _read_header(folder) != header or not (folder / _PIXELS).exists():
            _begin_anew(folder)
        _write_header(folder, header, finished=False)
        lines = _mend(folder, header.canvas_px)
        self._rows = sum(1 for line in lines if "row" in line)
        self._failure_of = {line["id"]: line.get("failure") for line in lines}
        self._pixels = (folder / _PIXELS).open("ab")
        self._ledger = (folder / _LEDGER).open("a", encoding="utf-8")

    def append(self, entries: Sequence[StoreEntry]) -> None:
        """Add pictures and failures; those of an id that is there already take its place.

        Raises:
            ValueError: a picture is not of the store's size and type.
        """
        for entry in entries:
            failure = entry.failure if entry.image is None else None
            if failure is not None and self._failure_of.get(entry.id) == failure:
                continue  # failed as before
            self._failure_of[entry.id] = failure
            line: dict[str, Any] = {"id": entry.id, "source": entry.source, "record": entry.record}
            if entry.image is None:
                line["failure"] = entry.failure
            else:
                pixels = self._checked(entry)
                self._pixels.write(pixels)
                line |= {"row": self._rows, "digest": digest(pixels)}
                self._rows += 1
            self._ledger.write(json.dumps(line) + "\n")
        # the ledger must never run ahead of the pixels
        self._pixels.flush()
        self._ledger.flush()

    def finish(self) -> None:
        """Mark the store as whole: all that was to be added has been."""
        _write_header(self._folder, self._header, finished=True)

    def close(self) -> None:
        """Give the store free for others."""
        self._pixels.close()
        self._ledger.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _checked(self, entry: StoreEntry) -> bytes:
        side = self._header.canvas_px
        image = entry.image
        if image is None or image.shape != (side, side) or image.dtype != np.uint8:
            found = None if image is None else (image.shape, str(image.dtype))
            raise ValueError(f"case {entry.id}: the store takes ({side}, {side}) uint8, got {found}")
        return np.ascontiguousarray(image).tobytes()


class ImageStore(Mapping[str, np.ndarray]):
    """A finished store, for reading.

    Attributes:
        header: size and preparation.
        ids: the id of each picture, in the order of `index`.

    Raises:
        StoreMissing: the folder has no finished store.
    """

    def __init__(self, folder: Path) -> None:
        header = _read_header(folder)
        if header is None or not is_finished(folder):
            raise StoreMissing(f"{folder}: no finished image store")
        self.header, self._folder = header, folder
        self._lines = {line["id"]: line for line in _read_ledger(folder / _LEDGER)}
        self._row_of = {key: line["row"] for key, line in self._lines.items() if "row" in line}
        self.ids = sorted(self._row_of)

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[str]:
        return iter(self.ids)

    @cached_property
    def pixels(self) -> np.ndarray:
        """(rows, canvas_px, canvas_px) uint8, a read-only memory map; find rows with `rows`."""
        side = self.header.canvas_px
        file = self._folder / _PIXELS
        if not file.stat().st_size:  # an empty file cannot be mapped
            return np.empty((0, side, side), np.uint8)
        return np.memmap(file, np.uint8, "r").reshape(-1, side, side)

    def rows(self, ids: Sequence[str]) -> np.ndarray:
        """Row in `pixels` of each id.

        Raises:
            LookupError: the store lacks some of them.
        """
        missing = [key for key in ids if key not in self._row_of]
        if missing:
            raise LookupError(
                f"{len(missing)} of {len(ids)} cases are not in {self._folder.name}, such as {missing[:3]}; run the "
                "pipeline that makes it again: data_prep, for hand_store hand_active_learning, for enhanced_store "
                "gan_enhance"
            )
        return np.array([self._row_of[key] for key in ids], np.int64)

    def __getitem__(self, key: str) -> np.ndarray:
        """The picture of an id, (canvas_px, canvas_px) uint8, on disk until it is looked at."""
        picture: np.ndarray = self.pixels[self._row_of[key]]
        return picture

    def record(self, key: str) -> dict[str, Any]:
        """What was recorded of a picture."""
        record: dict[str, Any] = self._lines[key]["record"]
        return record

    def frame(self, key: str, side_px: int) -> tuple[np.ndarray, tuple[int, int]]:
        """Where a picture lies in its source, on a canvas of another side.

        Returns:
            the (2, 3) float32 map of source points to points of that canvas, and (rows, columns) of the source.
        """
        record = self.record(key)
        rows, columns = record["source_shape"]
        transform = np.array(record["transform"], np.float32)
        return rescale_transform(transform, self.header.canvas_px, side_px), (rows, columns)

    @cached_property
    def index(self) -> pd.DataFrame:
        """``id, row`` and what was recorded of each picture, sorted by id."""
        return self._table("row")

    @cached_property
    def failures(self) -> pd.DataFrame:
        """``id, failure`` and what was recorded of each file that gave no picture, sorted by id."""
        return self._table("failure")

    def fingerprint(self, ids: Sequence[str]) -> str:
        """Names the pictures of these cases: the same on any machine, in any order, whatever else the store holds.

        Raises:
            LookupError: the store lacks some of them.
        """
        self.rows(ids)
        return fingerprint([(key, self._lines[key]["digest"]) for key in sorted(ids)])

    def _table(self, column: str) -> pd.DataFrame:
        lines = sorted((line for line in self._lines.values() if column in line), key=lambda line: line["id"])
        records = [{"id": line["id"], column: line[column], **line["record"]} for line in lines]
        return pd.DataFrame(records or {"id": [], column: [], "file": []})


def read_state(folder: Path) -> StoreState:
    """What a store holds, finished or not; an absent store is an empty state."""
    header = _read_header(folder)
    if header is None:
        return StoreState()
    lines = {line["id"]: line for line in _read_ledger(folder / _LEDGER)}
    return StoreState(header, {key: line["source"] for key, line in lines.items() if "row" in line})


def is_finished(folder: Path) -> bool:
    """Whether a store is there and whole."""
    file = folder / _HEADER
    return file.exists() and bool(json.loads(file.read_text(encoding="utf-8"))["finished"])


def _take_lock(folder: Path) -> FileLock:
    lock = FileLock(folder / _LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise StoreInUse(
            f"{folder}: another process is writing to this image store; wait for it to end"
        ) from error
    return lock


def _begin_anew(folder: Path) -> None:
    # header first: without one the store does not exist, so a kill in between leaves nothing wrong behind
    for name in (_HEADER, _LEDGER, _PIXELS):
        (folder / name).unlink(missing_ok=True)
    (folder / _PIXELS).touch()
    (folder / _LEDGER).touch()


def _mend(folder: Path, canvas_px: int) -> list[dict[str, Any]]:
    """Cut off what a killed writer left half done; return the lines that stay."""
    size, row_bytes = (folder / _PIXELS).stat().st_size, canvas_px**2
    lines = [line for line in _read_ledger(folder / _LEDGER) if line.get("row", -1) < size // row_bytes]
    whole = "".join(json.dumps(line) + "\n" for line in lines)
    if whole != (folder / _LEDGER).read_text(encoding="utf-8"):
        replace_text(folder / _LEDGER, whole)
    rows = sum(1 for line in lines if "row" in line)
    with (folder / _PIXELS).open("r+b") as pixels:
        pixels.truncate(rows * row_bytes)
    return lines


def _read_ledger(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in read_whole_lines(file)]


def _read_header(folder: Path) -> StoreHeader | None:
    file = folder / _HEADER
    if not file.exists():
        return None
    values = json.loads(file.read_text(encoding="utf-8"))
    if values.pop("format") != FORMAT:
        return None
    values.pop("finished")
    return StoreHeader(**values)


def _write_header(folder: Path, header: StoreHeader, finished: bool) -> None:
    values = {"format": FORMAT, "finished": finished, **asdict(header)}
    replace_text(folder / _HEADER, json.dumps(values, indent=1) + "\n")
