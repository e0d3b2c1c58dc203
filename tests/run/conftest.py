"""The runs that several test modules look at, each done once, and the order of these modules.

All write into the one folder ``data`` of the project, so a module sees what the ones before it have left. The whole
chain comes first, and nothing is outdated after it. The killed chain is compared with the tables of the unbroken one,
so it comes before people answer, whose masks overwrite the tables of hands. Runs that must fail come last.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow.entities import Run

from .project import PROJECT, end_open_runs, runs, session_with

ORDER = ("chain", "assess", "masks", "studies", "killed", "people", "failures")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Lay the modules of this folder in their order, at the places that they have among all tests."""
    here = Path(__file__).parent
    places = [place for place, item in enumerate(items) if item.path.parent == here]
    mine = [items[place] for place in places]
    mine.sort(key=lambda item: ORDER.index(item.path.stem.removeprefix("test_")))
    for place, item in zip(places, mine, strict=True):
        items[place] = item


@pytest.fixture(autouse=True)
def _leave_no_run_open() -> Iterator[None]:
    """Tests of other folders may follow in the same process."""
    yield
    end_open_runs()


@pytest.fixture(scope="session")
def output() -> str:
    """What the whole chain printed, started in a folder below the project."""
    command = [sys.executable, "-m", "kedro", "run", "--env=test"]
    environment = os.environ | {"COLUMNS": "200", "PYTHONPATH": str(PROJECT / "src")}
    result = subprocess.run(
        command, cwd=PROJECT / "tests", env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
    return result.stdout


@pytest.fixture(scope="session")
def run(output: str) -> Run:
    return runs()[0]


@pytest.fixture(scope="session")
def fingers(output: str) -> Run:
    """The MLflow run of masks for all hands, of the comparison of rules, and of the teacher's tuning."""
    with session_with({}) as session:
        session.run(pipeline_names=["finger_selftrain", "finger_study", "finger_crf"])
    return runs()[0]


@pytest.fixture(scope="session")
def forearms(output: str) -> Run:
    """The MLflow run of radius and ulna for all radiographs, and of the study of networks for them."""
    with session_with({}) as session:
        session.run(pipeline_names=["dru_segmentation", "dru_study"])
    return runs()[0]


@pytest.fixture(scope="session")
def hands(output: str) -> Run:
    """The MLflow run of hands for all radiographs, of the enhancer, and of all studies of these."""
    studies = ["hand_study", "gan_study", "guard_study", "regression_study"]
    with session_with({}) as session:
        session.run(pipeline_names=["hand_active_learning", "gan_enhance", *studies])
    return runs()[0]


@pytest.fixture(scope="session")
def bonet(output: str) -> Run:
    """The MLflow run of the baseline, of its arms, and of the tables that it has a row in."""
    with session_with({}) as session:
        session.run(
            pipeline_names=["bonet", "ptl_regression"],
            node_names=(
                *("train_bonet", "predict_by_bonet", "describe_bonet", "run_bonet_arms"),
                *("summarise_bonet_arms", "draw_bonet_arms", "collect_bonet_arms"),
                *("compare_models", "compare_with_paper"),
            ),
        )
    return runs()[0]
