"""A run that is killed and started again."""

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd

from boneage_kedro.pipelines.ptl_regression.nodes import MODELS

from .project import MARKS, PROJECT

pytestmark = MARKS


def test_a_run_that_is_killed_and_started_again_gives_the_same_figures(output: str, tmp_path: Path) -> None:
    """Killed in the training of the second fold, and once more where maps are checked."""
    for name in ("conf", "src"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    command = [sys.executable, "-m", "kedro", "run", "--env=test"]
    with (tmp_path / "log").open("w") as log:
        options: dict[str, Any] = {"cwd": tmp_path, "stdout": log, "stderr": log}
        for last_files in (
            "06_models/test/ptl_checkpoint_fold_2_*.pt",
            "07_model_output/test/attention_table.parquet",
        ):
            killed = subprocess.Popen(command, **options)
            while not any((tmp_path / "data").glob(last_files)):
                assert killed.poll() is None, (tmp_path / "log").read_text()[-4000:]
                time.sleep(0.05)
            killed.kill()
            killed.wait()
        assert not (tmp_path / "data/08_reporting/test/report.html").exists()
        subprocess.run(command, **options, check=True)
    tables = {path.name for path in (tmp_path / "data/08_reporting/test").glob("*.csv")}
    assert tables >= {
        *("model_comparison.csv", "paper_methods.csv", "paper_participants.csv", "errors_by_age_band.csv"),
        *("ptl_history.csv", "hand_rounds.csv", "fidelity.csv"),
    }
    for name in sorted(tables):
        again, unbroken = (
            read(folder / "data/08_reporting/test" / name) for folder in (tmp_path, Path(PROJECT))
        )
        pd.testing.assert_frame_equal(again, unbroken, obj=name)


def read(table: Path) -> pd.DataFrame:
    """A table without what may differ: how long it took, and the baseline, if that was run here."""
    rows = pd.read_csv(table).drop(columns="seconds", errors="ignore")
    of_baseline = rows.astype(str).apply(lambda cells: cells.str.contains(MODELS["bonet"])).any(axis=1)
    return rows[~of_baseline].reset_index(drop=True)
