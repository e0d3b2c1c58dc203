"""The project as all tests of its runs see it: where things lie, what is recorded, and how a run is started."""

from pathlib import Path
from typing import Any

import mlflow
import pytest
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from mlflow.entities import Run

# Kedro and MLflow warn of their own dependencies' deprecations here; ours stay errors
MARKS = [
    pytest.mark.xdist_group("project"),  # they share its data folder, and build on each other's runs
    pytest.mark.filterwarnings("default"),
    pytest.mark.filterwarnings("error:::boneage_kedro.*"),
]

PROJECT = Path(__file__).resolve().parents[2]
RESULTS = PROJECT / "data" / "08_reporting" / "test"
TRACKING = f"sqlite:///{PROJECT}/data/08_reporting/test_mlflow.db"
PLAIN_METHODS = ["identity", "clahe", "match_histogram", "scale_percentiles", "standard_tone"]


def runs() -> list[Run]:
    """All MLflow runs of the environment, the newest first."""
    client = mlflow.MlflowClient(TRACKING)
    experiment = client.get_experiment_by_name("boneage_kedro_test")
    return list(client.search_runs([experiment.experiment_id])) if experiment else []


def end_open_runs() -> None:
    """End what kedro-mlflow leaves open after a run that ended well; a new process has none."""
    while mlflow.active_run():
        mlflow.end_run()


def session_with(runtime_params: dict[str, Any]) -> KedroSession:
    """A session of the environment ``test`` with other parameters than it has."""
    end_open_runs()
    bootstrap_project(PROJECT)
    return KedroSession.create(PROJECT, env="test", runtime_params=runtime_params)
