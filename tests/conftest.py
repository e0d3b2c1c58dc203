"""What several test modules need."""

import os
from pathlib import Path
from typing import Any

import pytest
from kedro.config import OmegaConfigLoader

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_rsna() -> Path:
    """The folder with real radiographs beside the project, or a skip with the reason."""
    folder = Path(os.environ.get("BONEAGE_SHARED", PROJECT.parent / "shared")) / "data" / "rsna"
    if not folder.is_dir():
        pytest.skip(f"no real radiographs at {folder}")
    return folder


@pytest.fixture
def parameters() -> dict[str, Any]:
    """Parameters of the environment ``test``; a fresh copy for each test."""
    return read_parameters()


def read_parameters() -> dict[str, Any]:
    """Parameters of the environment ``test``, as Kedro resolves them."""
    loader = OmegaConfigLoader(
        str(PROJECT / "conf"), base_env="base", default_run_env="test", merge_strategy={"parameters": "soft"}
    )
    return dict(loader["parameters"])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests first that take longest and can only run one after the other: then no process waits for them."""
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)
