"""Cells of studies: what is run, and what of a finished one is kept."""

from pathlib import Path

import pandas as pd
import pytest

from boneage_kedro.training.ages.settings import BonetArm
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.study import run_cells, run_once

TABLE = pd.DataFrame({"id": ["007", "b"], "age": [0.1, 7.0], "n": [1, 2]})
OTHER = pd.DataFrame({"loss": [0.5]})
ARMS = [BonetArm(name=name, network={}, free=["head"]) for name in ("plain", "better")]


def test_a_finished_cell_is_not_run_again_and_keeps_its_tables_alone(tmp_path: Path) -> None:
    cell, runs = CheckpointFile(tmp_path / "cell.pt"), []

    def run() -> tuple[pd.DataFrame, pd.DataFrame]:
        runs.append(1)
        cell.save({"weights": list(range(1000))})
        return TABLE, OTHER

    for _ in range(2):
        table, other = run_once(cell, "a", run)
        pd.testing.assert_frame_equal(table, TABLE)
        pd.testing.assert_frame_equal(other, OTHER)
    assert len(runs) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["cell_finished.pt"]
    run_once(cell, "of other settings", run)
    assert len(runs) == 2


def test_an_interrupted_cell_keeps_its_state(tmp_path: Path) -> None:
    cell = CheckpointFile(tmp_path / "cell.pt")

    def run() -> tuple[pd.DataFrame]:
        cell.save({"epoch": 3})
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_once(cell, "a", run)
    assert cell.load() == {"epoch": 3}


def test_arms_are_repeated_with_folds_where_these_are_no_seeds(tmp_path: Path) -> None:
    checkpoint = CheckpointFile(tmp_path / "study.pt")
    *_, last = run_cells("bonet", ARMS, [1, 2], checkpoint, lambda arm, fold, cell: TABLE, "fold")
    assert last.groupby(["fold", "arm"], sort=False).size().index.tolist() == [
        (1, "plain"),
        (1, "better"),
        (2, "plain"),
        (2, "better"),
    ]
    with pytest.raises(
        ValueError, match=r"bonet needs arms of different names and different folds, .* \[1, 1\]"
    ):
        list(run_cells("bonet", ARMS, [1, 1], checkpoint, lambda arm, fold, cell: TABLE, "fold"))
