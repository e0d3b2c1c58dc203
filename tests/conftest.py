"""What several test modules need."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_rsna() -> Path:
    """The folder with real radiographs beside the project, or a skip with the reason."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("BONEAGE_SHARED", beside)) / "data" / "rsna"
    if not folder.is_dir():
        pytest.skip(f"no real radiographs at {folder}")
    return folder
