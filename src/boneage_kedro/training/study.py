"""Studies: every arm with every seed or fold, and a table that grows by a cell at a time."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import pandas as pd
from typing_extensions import TypedDict

from boneage_kedro.provenance import fingerprint
from boneage_kedro.training.checkpoint import CheckpointFile


class NamedArm(TypedDict):
    """What every arm has, whatever it says beside it."""

    name: str


ArmT = TypeVar("ArmT", bound=NamedArm)


def run_cells(
    study: str,
    arms: Sequence[ArmT],
    seeds: Sequence[int],
    checkpoint: CheckpointFile,
    run: Callable[[ArmT, int, CheckpointFile], pd.DataFrame],
    repetition: str = "seed",
) -> Iterator[pd.DataFrame]:
    """Run every arm with every seed.

    Args:
        study: its parameter block, for messages.
        run: gives the rounds of one arm and seed, and keeps its state in the checkpoint that it is given.
        repetition: what the ``seeds`` are called, where an arm is repeated with other things than seeds.

    Raises:
        ValueError: there is no arm or no seed, or two are the same.

    Yields:
        after each cell the table so far: what ``run`` gave, with ``arm`` and ``seed`` (or the other ``repetition``).
    """
    names = [arm["name"] for arm in arms]
    if not names or not seeds or len(set(names)) < len(names) or len(set(seeds)) < len(seeds):
        raise ValueError(
            f"{study} needs arms of different names and different {repetition}s, at least one of each; it has "
            f"{names} and {list(seeds)}"
        )
    tables: list[pd.DataFrame] = []
    for seed in seeds:
        for arm in arms:
            table = run(arm, seed, checkpoint.beside(fingerprint(arm["name"], seed)[:12]))
            tables.append(table.assign(arm=arm["name"], **{repetition: seed}))
            yield pd.concat(tables, ignore_index=True)


def run_once(
    cell: CheckpointFile, named: str, run: Callable[[], Sequence[pd.DataFrame]]
) -> Sequence[pd.DataFrame]:
    """Keep what came of a cell in place of the state of its training, which may be hundreds of megabytes.

    Args:
        named: the fingerprint of all that the tables depend on; what was kept under another is not used.
        run: gives tables, of texts and numbers, and may leave a state in the cell, which is removed then.
    """
    finished = cell.beside("finished")
    state = finished.load()
    if state is not None and state["fingerprint"] == named:
        return [pd.DataFrame(table) for table in state["tables"]]
    tables = run()
    finished.save({"fingerprint": named, "tables": [table.to_dict("list") for table in tables]})
    cell.remove()
    return tables
