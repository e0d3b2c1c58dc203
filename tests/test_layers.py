"""The architecture: which layer may import which, and that the command line starts without torch."""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False
    )


def test_layers_hold() -> None:
    result = python("from importlinter.cli import lint_imports_command; lint_imports_command()")
    assert result.returncode == 0, result.stdout
    assert "2 kept, 0 broken" in result.stdout


def test_all_pipelines_can_be_listed_without_torch() -> None:
    code = """
import sys
from kedro.framework.startup import bootstrap_project
from kedro.framework.project import pipelines
bootstrap_project(".")
assert {"__default__", "assess", "data_prep", "ptl_regression", "explain", "fabricate"} <= set(pipelines), pipelines
assert "torch" not in sys.modules
"""
    result = python(code)
    assert result.returncode == 0, result.stderr[-2000:]


def test_training_runs_without_kedro_and_mlflow() -> None:
    """The training layer runs on machines that have nothing but torch and what the models need."""
    code = """
import sys
sys.modules["kedro"] = sys.modules["mlflow"] = sys.modules["kedro_mlflow"] = None  # importing them now fails
import boneage_kedro.training.ages.regression, boneage_kedro.reading.assessment, boneage_kedro.phantom
"""
    result = python(code)
    assert result.returncode == 0, result.stderr[-2000:]
