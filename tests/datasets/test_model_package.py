from pathlib import Path

import mlflow
import pytest
from kedro.io import DatasetError

from boneage_kedro.datasets import ModelPackageDataset

from ..packages import untrained


def test_outside_a_run_the_folder_alone_is_written(tmp_path: Path) -> None:
    assert mlflow.active_run() is None
    dataset = ModelPackageDataset(str(tmp_path / "package"), registered_as="boneage")
    assert not dataset.exists()
    package = untrained({})
    dataset.save(package)
    assert dataset.exists()
    loaded = dataset.load()
    assert (loaded.network, loaded.mlflow_run) == (package.network, "")


def test_a_folder_without_a_package_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="make one with kedro run --pipelines=package"):
        ModelPackageDataset(str(tmp_path)).load()
