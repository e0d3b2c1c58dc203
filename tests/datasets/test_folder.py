from pathlib import Path

import pytest
from kedro.io import DatasetError

from boneage_kedro.datasets import FolderDataset


def test_it_gives_the_path_and_is_never_written(tmp_path: Path) -> None:
    dataset = FolderDataset(str(tmp_path / "pairs"))
    assert dataset.load() == tmp_path / "pairs"
    assert not dataset.exists()
    (tmp_path / "pairs").mkdir()
    assert dataset.exists()
    with pytest.raises(DatasetError, match="by hand"):
        dataset.save("anything")
