from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from kedro.io import DataCatalog, DatasetError
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner

from boneage_kedro.datasets import ImageStoreDataset
from boneage_kedro.imaging.store import StoreChunk, StoreEntry, StoreHeader, StoreState

HEADER = StoreHeader(4, {})


def catalog_of(folder: Path) -> DataCatalog:
    datasets = "boneage_kedro.datasets"
    return DataCatalog.from_config(
        {
            "store": {"type": f"{datasets}.ImageStoreDataset", "path": f"{folder}/store"},
            "state": {"type": f"{datasets}.ImageStoreStateDataset", "path": f"{folder}/store"},
            "checkpoint": {"type": f"{datasets}.CheckpointDataset", "filepath": f"{folder}/c/state.pt"},
            "radiographs": {"type": f"{datasets}.RadiographFolderDataset", "path": f"{folder}/pictures"},
            "weights": {"type": f"{datasets}.PretrainedWeightsDataset", "path": f"{folder}/weights"},
        }
    )


def test_a_store_that_is_missing_names_the_pipeline_that_makes_it(tmp_path: Path) -> None:
    store = ImageStoreDataset(str(tmp_path / "hands"), made_by="hand_active_learning")
    with pytest.raises(DatasetError, match="hands: no finished image store; run the pipeline hand_active"):
        store.load()


def run(catalog: DataCatalog, fail_at: int | None) -> list[str]:
    """Fill the store with ten cases from a generator node; return the ids that had to be made."""
    made = []

    def fill(state: StoreState) -> Iterator[StoreChunk]:
        for i in range(10):
            if i == fail_at:
                raise RuntimeError("power cut")
            if str(i) not in state.sources:
                made.append(str(i))
                yield StoreChunk(HEADER, [StoreEntry(str(i), "s", np.full((4, 4), i, np.uint8))])
        yield StoreChunk(HEADER, [], last=True)

    SequentialRunner().run(Pipeline([Node(fill, "state", "store")]), catalog)
    return made


def test_a_generator_node_goes_on_where_it_broke_off(tmp_path: Path) -> None:
    first = catalog_of(tmp_path)
    with pytest.raises(RuntimeError, match="power cut"):
        run(first, fail_at=6)
    assert not first.exists("store")
    with pytest.raises(DatasetError, match="run the pipeline data_prep"):
        first.load("store")
    first["store"].release()  # what the end of the process does
    second = catalog_of(tmp_path)
    assert run(second, fail_at=None) == ["6", "7", "8", "9"]
    store = second.load("store")
    assert second.exists("store")
    assert store.pixels[store.rows([str(i) for i in range(10)]), 0, 0].tolist() == list(range(10))
    assert run(catalog_of(tmp_path), fail_at=None) == []


def fresh_parts(folder: Path) -> DataCatalog:
    """Partitions ``parts`` of a new run."""
    config = {
        "type": "boneage_kedro.datasets.FreshPartitionedDataset",
        "path": f"{folder}/parts",
        "filename_suffix": ".json",
        "dataset": "json.JSONDataset",
    }
    return DataCatalog.from_config({"parts": config})


def test_fresh_partitions_hold_what_one_run_wrote(tmp_path: Path) -> None:
    for run_parts in (["a", "b"], ["b", "c"]):
        catalog = fresh_parts(tmp_path)
        for part in run_parts:
            catalog.save("parts", {part: {"made": part}})
        assert sorted(catalog.load("parts")) == run_parts
    catalog = fresh_parts(tmp_path)
    catalog.save("parts", {})
    assert not (tmp_path / "parts").exists()


def test_fresh_partitions_remove_nothing_that_no_run_wrote(tmp_path: Path) -> None:
    fresh_parts(tmp_path).save("parts", {"a": 1})
    own = tmp_path / "parts" / "own.dcm"
    own.write_bytes(b"original")
    with pytest.raises(DatasetError, match=r"own\.dcm there was not written by a run \(of such files: 1\)"):
        fresh_parts(tmp_path).save("parts", {"b": 2})
    assert own.read_bytes() == b"original"
    assert (tmp_path / "parts" / "a.json").exists()
    own.unlink()
    (tmp_path / "parts" / ".DS_Store").touch()  # a desktop's, which has shown the folder
    fresh_parts(tmp_path).save("parts", {"b": 2})
    assert sorted(file.name for file in (tmp_path / "parts").glob("*.json")) == ["b.json"]


def test_checkpoint_handle_keeps_and_replaces(tmp_path: Path) -> None:
    handle = catalog_of(tmp_path).load("checkpoint")
    assert handle.load() is None
    for epoch in (1, 2):
        handle.save({"epoch": epoch, "weights": {"w": torch.full((2,), float(epoch))}})
    state = handle.load()
    assert state["epoch"] == 2
    assert state["weights"]["w"].tolist() == [2.0, 2.0]


class _Harmful:
    def __reduce__(self) -> Any:
        return (print, ("unpickled",))


def test_a_checkpoint_with_code_in_it_is_refused(tmp_path: Path) -> None:
    handle = catalog_of(tmp_path).load("checkpoint")
    handle.save({"x": _Harmful()})
    with pytest.raises(Exception, match="Weights only load failed"):
        handle.load()


@pytest.mark.parametrize("name", ["checkpoint", "radiographs", "weights", "state"])
def test_what_is_read_only_says_who_writes_it(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError, match=r"read-only|written by|not saved"):
        catalog_of(tmp_path).save(name, {"x": 1})


def test_a_missing_folder_of_radiographs_is_told(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path)
    assert not catalog.exists("radiographs")
    with pytest.raises(DatasetError, match="no such folder"):
        catalog.load("radiographs")
