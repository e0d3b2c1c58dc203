"""Studies: every arm with every seed, and a table that grows by a cell at a time."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import pandas as pd

from boneage_kedro.provenance import fingerprint
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.forearm_settings import ForearmArm
from boneage_kedro.training.gan_settings import GanArm
from boneage_kedro.training.settings import Arm, QueryArm, RegressionArm

ArmT = TypeVar("ArmT", Arm, QueryArm, RegressionArm, GanArm, ForearmArm)


def run_cells(
    study: str,
    arms: Sequence[ArmT],
    seeds: Sequence[int],
    checkpoint: CheckpointFile,
    run: Callable[[ArmT, int, CheckpointFile], pd.DataFrame],
) -> Iterator[pd.DataFrame]:
    """Run every arm with every seed.

    Args:
        study: its parameter block, for messages.
        run: gives the rounds of one arm and seed, and keeps its state in the checkpoint that it is given.

    Raises:
        ValueError: there is no arm or no seed, or two are the same.

    Yields:
        after each cell the table so far: what ``run`` gave, with ``arm`` and ``seed``.
    """
    names = [arm["name"] for arm in arms]
    if not names or not seeds or len(set(names)) < len(names) or len(set(seeds)) < len(seeds):
        raise ValueError(
            f"{study} needs arms of different names and different seeds, at least one of each; it has "
            f"{names} and {list(seeds)}"
        )
    tables: list[pd.DataFrame] = []
    for seed in seeds:
        for arm in arms:
            table = run(arm, seed, checkpoint.beside(fingerprint(arm["name"], seed)[:12]))
            tables.append(table.assign(arm=arm["name"], seed=seed))
            yield pd.concat(tables, ignore_index=True)
