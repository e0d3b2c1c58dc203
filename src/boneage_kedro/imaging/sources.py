"""Where radiographs are found: a folder, nested as it may be, a zip archive, or memory."""

import threading
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from boneage_kedro.cohort.columns import RADIOGRAPH_SUFFIXES, case_id
from boneage_kedro.files import WRITTEN_BY_RUNS

_DICOM_MAGIC_AT = 128


class RadiographSource(Protocol):
    """One file that should hold a radiograph; nothing is read before `read_bytes`."""

    @property
    def name(self) -> str:
        """The file's path below the folder or archive, for messages."""

    @property
    def fingerprint(self) -> str:
        """Changes with the content of the file; see `fingerprint_content`."""

    @property
    def size(self) -> int:
        """Of the whole file in bytes, known without reading it."""

    def read_bytes(self) -> bytes:
        """The whole file."""


class Radiographs(Mapping[str, RadiographSource]):
    """Radiographs by id, which is the file's name without its suffix (`boneage_kedro.cohort.columns.case_id`).

    Attributes:
        name: of the place they are in, for messages.
        duplicates: names of all files of an id that more than one file claims; such an id is in the mapping
            with the first by name.
    """

    def __init__(self, sources: Iterable[RadiographSource], name: str) -> None:
        self.name = name
        by_id: dict[str, list[RadiographSource]] = {}
        for source in sorted(sources, key=lambda source: source.name):
            by_id.setdefault(case_id(source.name), []).append(source)
        self._sources = {key: found[0] for key, found in sorted(by_id.items())}
        self.duplicates = {key: [s.name for s in found] for key, found in by_id.items() if len(found) > 1}

    def __getitem__(self, key: str) -> RadiographSource:
        return self._sources[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)


class RadiographFolder(Radiographs):
    """The radiographs of a folder or archive.

    Folders may be nested (Kaggle's archives unpack into a folder of the same name). Files of other kinds are
    passed over; in a folder, one of any name counts when it starts as DICOM does. Nested folders that runs of
    `assess` have written into are passed over, too.

    Attributes:
        path: the folder or zip archive.

    Raises:
        FileNotFoundError: there is no such folder or archive.
        ValueError: the file is not a zip archive.
    """

    def __init__(self, path: Path, exclude: Collection[str] = ()) -> None:
        self.path = path
        sources = [s for s in _find_sources(path) if not set(PurePosixPath(s.name).parts) & set(exclude)]
        super().__init__(sources, path.name)


@dataclass(frozen=True)
class MemorySource:
    """A file that has come as bytes, and its name for messages."""

    name: str
    content: bytes

    @property
    def fingerprint(self) -> str:
        """See `fingerprint_content`."""
        return fingerprint_content(self.content)

    @property
    def size(self) -> int:
        """Of the file in bytes."""
        return len(self.content)

    def read_bytes(self) -> bytes:
        """The whole file."""
        return self.content


@dataclass(frozen=True)
class FileSource:
    """A file by its path, and its name for messages."""

    path: Path
    name: str

    @property
    def fingerprint(self) -> str:
        """See `fingerprint_content`."""
        return fingerprint_content(self.read_bytes())

    @property
    def size(self) -> int:
        """Of the whole file in bytes."""
        return self.path.stat().st_size

    def read_bytes(self) -> bytes:
        """The whole file."""
        return self.path.read_bytes()


class _Archive:
    """A zip archive that several threads may read: the file's position is shared, so one reads at a time."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path)
        self._lock = threading.Lock()
        self.members = [member for member in self._zip.infolist() if not member.is_dir()]

    def read(self, member: zipfile.ZipInfo) -> bytes:
        with self._lock:
            return self._zip.read(member)


@dataclass(frozen=True)
class _MemberSource:
    archive: _Archive
    member: zipfile.ZipInfo

    @property
    def name(self) -> str:
        return self.member.filename

    @property
    def fingerprint(self) -> str:
        return f"{self.member.file_size}-{self.member.CRC:08x}"  # the archive says what `fingerprint_content` would

    @property
    def size(self) -> int:
        return self.member.file_size  # no more than this is unpacked, whatever the member holds

    def read_bytes(self) -> bytes:
        return self.archive.read(self.member)


def fingerprint_content(content: bytes) -> str:
    """Size and checksum: files are known again by what is in them, wherever and whenever they were copied."""
    return f"{len(content)}-{zlib.crc32(content):08x}"


def _find_sources(path: Path) -> Iterator[RadiographSource]:
    if path.is_dir():
        files = [file for file in path.rglob("*") if file.is_file()]
        results = {file.parent for file in files if file.name == WRITTEN_BY_RUNS} - {path}
        for file in files:
            if (
                file.parent not in results
                and not _is_hidden(file.name)
                and (_has_suffix(file.name) or _starts_as_dicom(file))
            ):
                yield FileSource(file, file.relative_to(path).as_posix())
    elif path.is_file():
        if not zipfile.is_zipfile(path):
            raise ValueError(f"{path}: neither a folder nor a zip archive; give one that holds radiographs")
        archive = _Archive(path)
        for member in archive.members:
            if _has_suffix(member.filename) and not _is_hidden(member.filename):
                yield _MemberSource(archive, member)
    else:
        raise FileNotFoundError(
            f"{path}: there is no such folder; put the radiographs there or correct the path"
        )


def _has_suffix(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in RADIOGRAPH_SUFFIXES


def _is_hidden(name: str) -> bool:
    # the Mac's archiver adds `__MACOSX/._x.png` beside every x.png
    return PurePosixPath(name).name.startswith(".")


def _starts_as_dicom(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return opened.read(_DICOM_MAGIC_AT + 4)[_DICOM_MAGIC_AT:] == b"DICM"
    except OSError:  # a stray file that may not be read
        return False
