"""What made each result, so that one made with other parameters or of other data is known for what it is.

A record beside the results of a run names for each the node that made it, the parameters it was given and the stamps
of what it read. A stamp stands for a result: equal stamps were made by the same nodes with the same parameters of the
same files. The code is not looked at, as a corrected comment must not make a network be trained again.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock

from boneage_kedro.files import replace_text
from boneage_kedro.provenance import digest, fingerprint

_READ_BYTES = 2**26  # larger files are told apart by size and time alone
ABSENT = "absent"


@dataclass(frozen=True)
class Making:
    """How a result was made.

    Attributes:
        node: name of the node.
        parameters: fingerprints of the blocks that it was given, by name.
        inputs: stamps of what it read, by place.
    """

    node: str
    parameters: Mapping[str, str]
    inputs: Mapping[str, str]

    @property
    def stamp(self) -> str:
        """Stands for the result."""
        return fingerprint(self.node, dict(self.parameters), dict(self.inputs))


class Lineage:
    """The record of all results of a run, by their places, in a file that is replaced as a whole.

    Runs of several pipelines may go on side by side: a lock keeps one from writing over what another entered.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = FileLock(file.with_suffix(".lock"))

    def read(self) -> dict[str, Making]:
        """All that is recorded."""
        if not self._file.exists():
            return {}
        rows = json.loads(self._file.read_text(encoding="utf-8"))
        return {place: Making(**row) for place, row in rows.items()}

    def add(self, made: Mapping[str, Making]) -> None:
        """Record results that are whole."""
        with self._held():
            self._write(self.read() | dict(made))

    def forget(self, place: str) -> None:
        """Take a result for unmade, as one is that is about to be written."""
        with self._held():
            recorded = self.read()
            if recorded.pop(place, None):
                self._write(recorded)

    def _held(self) -> FileLock:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        return self._lock

    def _write(self, made: Mapping[str, Making]) -> None:
        rows = {place: asdict(making) for place, making in sorted(made.items())}
        replace_text(self._file, json.dumps(rows, indent=1))


def stamp_files(path: Path, unused: Collection[str] = ()) -> str:
    """Stands for files that no node has made: the content of a file, names, sizes and times of a folder's files.

    Args:
        unused: names without suffix of files of the folder that nothing is made of.
    """
    if path.is_dir():
        return fingerprint(sorted(facts for facts in _facts(path) if Path(facts[0]).stem not in unused))
    if not path.exists():
        return ABSENT
    if path.stat().st_size > _READ_BYTES:
        return fingerprint(path.stat().st_size, path.stat().st_mtime_ns)
    return digest(path.read_bytes())


def _facts(folder: Path) -> Iterator[tuple[str, int, int]]:
    for file in folder.rglob("*"):
        if file.is_file():
            facts = file.stat()
            yield file.relative_to(folder).as_posix(), facts.st_size, facts.st_mtime_ns


def changes_since(place: str, made: Mapping[str, Making], parameters: Mapping[str, str]) -> set[str]:
    """Why a recorded result is not what a run with these parameters would make of what is recorded now.

    Args:
        made: all that is recorded.
        parameters: fingerprints of the parameters of now, by name.

    Returns:
        names of parameters that differ, and places of results that were made anew since; of all that it comes from.
    """
    found: set[str] = set()
    seen, open_places = {place}, [place]
    while open_places:
        making = made[open_places.pop()]
        found |= {name for name, value in making.parameters.items() if parameters.get(name) != value}
        sources = [source for source in making.inputs if source in made]
        found |= {source for source in sources if made[source].stamp != making.inputs[source]}
        open_places += [source for source in sources if source not in seen]
        seen.update(sources)
    return found
