"""From files to the image store: reading and preparing in threads, in chunks, going on where a run ended."""

import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import cv2

from boneage_kedro.imaging.parallel import map_ordered
from boneage_kedro.imaging.preparation.prepare import PreparationSettings, prepare
from boneage_kedro.imaging.radiograph import UnreadableRadiograph
from boneage_kedro.imaging.reading import check_file_size, read_radiograph
from boneage_kedro.imaging.sources import RadiographSource, fingerprint_content
from boneage_kedro.imaging.store import StoreChunk, StoreEntry, StoreHeader, StoreState
from boneage_kedro.provenance import fingerprint_code

CHUNK = 32

# A damaged member, one cut short, and one that is encrypted or compressed in a way that is not known here.
_DAMAGED_MEMBER = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)


def missing_ids(
    ids: Sequence[str],
    sources: Mapping[str, RadiographSource],
    state: StoreState,
    settings: PreparationSettings,
) -> list[str]:
    """Those whose file the store does not have yet, or not as it is now, or not prepared in this way."""
    header = store_header(settings)
    if header != state.header:
        return list(ids)
    # a file that the store does not have at all need not be read to know that
    return [
        key for key in ids if key not in state.sources or state.sources[key] != _fingerprint(sources[key])
    ]


def ingest(
    ids: Sequence[str],
    sources: Mapping[str, RadiographSource],
    settings: PreparationSettings,
    workers: int,
) -> Iterator[StoreChunk]:
    """Prepare radiographs in threads, in the order of ``ids``; memory does not grow with their number.

    Yields:
        chunks of at most `CHUNK` entries, and a last one that makes the store whole. A file that cannot be
        read becomes an entry with the reason.
    """

    def entry(key: str) -> StoreEntry:
        return prepare_entry(key, sources[key], settings)

    yield from in_threads(store_header(settings), entry, ids, workers)


def lacking(header: StoreHeader, names: Mapping[str, str], state: StoreState) -> list[str]:
    """The ids of ``names`` that a store in this state does not have under their name, in their order."""
    known = state.sources if state.header == header else {}
    return [key for key, name in names.items() if known.get(key) != name]


def in_threads(
    header: StoreHeader, make: Callable[[str], StoreEntry], ids: Sequence[str], workers: int
) -> Iterator[StoreChunk]:
    """Entries made in threads, in the order of ``ids``, as `in_chunks`; memory does not grow with their number."""
    cv2.setNumThreads(1)  # the threads here share the cores already
    yield from in_chunks(header, map_ordered(make, ids, workers, ahead=4 * workers))


def in_chunks(header: StoreHeader, made: Iterable[StoreEntry]) -> Iterator[StoreChunk]:
    """Entries as chunks of at most `CHUNK`, and a last one that makes the store whole."""
    entries: list[StoreEntry] = []
    for entry in made:
        entries.append(entry)
        if len(entries) == CHUNK:
            yield StoreChunk(header, entries)
            entries = []
    yield StoreChunk(header, entries, last=True)


def prepare_entry(key: str, source: RadiographSource, settings: PreparationSettings) -> StoreEntry:
    """Read and prepare one file; one that holds no radiograph gives an entry with the reason."""
    file = {"file": source.name}
    try:
        content = read_content(source)
        prepared = prepare(read_radiograph(content, source.name), settings)
    except UnreadableRadiograph as error:
        return StoreEntry(key, "", record=file, failure=str(error))
    return StoreEntry(key, fingerprint_content(content), prepared.image, file | prepared.record())


def read_content(source: RadiographSource) -> bytes:
    """The bytes of one file.

    Raises:
        UnreadableRadiograph: they cannot be had, or are too many.
    """
    try:
        check_file_size(source.size)
        return source.read_bytes()
    except UnreadableRadiograph as error:
        raise UnreadableRadiograph(f"{source.name}: {error}") from error
    except (OSError, *_DAMAGED_MEMBER) as error:
        raise UnreadableRadiograph(
            f"{source.name}: {error}; see that it can be read, or copy it again"
        ) from error


def _fingerprint(source: RadiographSource) -> str:
    try:
        return source.fingerprint
    except OSError:  # reading it again will say what is wrong
        return ""


def store_header(settings: PreparationSettings) -> StoreHeader:
    """The header of a store whose pictures are prepared in this way."""
    return StoreHeader(settings["canvas_px"], dict(settings), fingerprint_code("imaging"))
