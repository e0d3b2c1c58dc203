"""Partitions that a generator node writes over several runs, and datasets that may be missing."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from kedro.io import DataCatalog, DatasetError
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner
from PIL import Image

from boneage_kedro.datasets import Parts, PartsState


def catalog_of(folder: Path) -> DataCatalog:
    datasets = "boneage_kedro.datasets"
    return DataCatalog.from_config(
        {
            "masks": {
                "type": f"{datasets}.ResumablePartitionedDataset",
                "path": f"{folder}/masks",
                "filename_suffix": ".png",
                "dataset": {"type": "pillow.ImageDataset"},
            },
            "state": {"type": f"{datasets}.PartsStateDataset", "path": f"{folder}/masks"},
            "note": {
                "type": f"{datasets}.OptionalDataset",
                "dataset": {"type": "json.JSONDataset", "filepath": f"{folder}/note.json"},
            },
        }
    )


def run(folder: Path, made_by: str = "v1", fail_at: int | None = None) -> list[str]:
    """Write six pictures, two at a time; return the ids, which have spaces, that had to be made."""
    made = []

    def draw(state: PartsState) -> Iterator[Parts]:
        done = state.ids if state.made_by == made_by else frozenset()
        todo = [i for i in range(6) if f"m {i}" not in done]
        for first in range(0, len(todo), 2):
            if fail_at is not None and todo[first] >= fail_at:
                raise RuntimeError("power cut")
            made.extend(f"m {i}" for i in todo[first : first + 2])
            yield Parts(made_by, {f"m {i}": picture(i) for i in todo[first : first + 2]})
        yield Parts(made_by, {}, last=True)

    SequentialRunner().run(Pipeline([Node(draw, "state", "masks")]), catalog_of(folder))
    return made


def picture(value: int) -> Image.Image:
    return Image.fromarray(np.full((3, 3), value, np.uint8))


def test_a_run_goes_on_where_it_broke_off(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="power cut"):
        run(tmp_path, fail_at=4)
    assert not catalog_of(tmp_path).exists("masks")
    assert run(tmp_path) == ["m 4", "m 5"]
    catalog = catalog_of(tmp_path)
    assert catalog.exists("masks")
    loaded = {key: np.asarray(load())[0, 0] for key, load in catalog.load("masks").items()}
    assert loaded == {f"m {i}": i for i in range(6)}
    assert run(tmp_path) == []


def test_a_part_that_is_not_in_the_ledger_is_made_again(tmp_path: Path) -> None:
    run(tmp_path)
    ledger = tmp_path / "masks" / "done.txt"
    ledger.write_text(ledger.read_text()[:-2])  # a torn last line
    (tmp_path / "masks" / "m 5.png").write_bytes(b"half a file")
    assert run(tmp_path) == ["m 5"]


def test_what_something_else_made_is_removed(tmp_path: Path) -> None:
    run(tmp_path)
    with pytest.raises(RuntimeError):
        run(tmp_path, made_by="v2", fail_at=2)
    assert sorted(catalog_of(tmp_path).load("masks")) == ["m 0", "m 1"]
    assert catalog_of(tmp_path).load("state") == PartsState("v2", frozenset({"m 0", "m 1"}))


def test_nothing_yet_is_an_empty_state(tmp_path: Path) -> None:
    assert catalog_of(tmp_path).load("state") == PartsState()
    with pytest.raises(DatasetError, match="is not saved"):
        catalog_of(tmp_path).save("state", PartsState())


def test_an_optional_dataset_is_none_until_it_exists(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path)
    assert catalog.load("note") is None
    (tmp_path / "note.json").write_text('{"a": 1}')
    assert catalog.load("note") == {"a": 1}
    with pytest.raises(DatasetError, match="only read"):
        catalog.save("note", {})
