"""Which nodes run again when parameters, files or earlier results change."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kedro.framework.hooks import hook_impl
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.io import MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner
from kedro_datasets.json import JSONDataset
from kedro_datasets.partitions import PartitionedDataset

from boneage_kedro.datasets import (
    CheckpointDataset,
    LineageDataset,
    OptionalDataset,
    PretrainedWeightsDataset,
)
from boneage_kedro.freshness import FreshCatalog, FreshnessHook

PARAMETERS = {"a": {"scale": 1}, "b": {"shift": 1}, "c": {"unused": 1, "networks": [{"begins": "named"}]}}


class _Ran:
    """Names of the nodes that were run."""

    def __init__(self) -> None:
        self.names: list[str] = []

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        self.names.append(node.name)


def _scale(raw: int, checkpoint: Any, params: dict[str, int]) -> int:
    return raw * params["scale"]


def _parts(scaled: int, params: dict[str, int]) -> Iterator[dict[str, int]]:
    for i in range(3):
        yield {f"part{i}": scaled + i * params["shift"]}


def _broken_parts(scaled: int, params: dict[str, int]) -> Iterator[dict[str, int]]:
    yield {"part0": 0}
    raise RuntimeError("full disk")


def _add_up(parts: dict[str, Callable[[], int]]) -> tuple[int, int]:
    total = sum(part() for part in parts.values())
    return total, -total


def _copy(other: int | None, weights: Any, params: dict[str, int]) -> int:
    return -1 if other is None else other


def _pipeline(parts: Callable[..., Any] = _parts) -> Pipeline:
    return Pipeline(
        [
            Node(_scale, ["raw", "checkpoint", "params:a"], "scaled", name="scale"),
            Node(parts, ["scaled", "params:b"], "parts", name="split"),
            Node(_add_up, "parts", ["total", "in_memory"], name="add_up"),
            Node(_copy, ["other_if_any", "weights", "params:c"], "copy", name="copy"),
        ]
    )


class Project:
    """A folder in which the pipeline above can be run again and again, each time as a new process would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "weights").mkdir()
        self.write("raw", 5)

    def write(self, name: str, value: Any) -> None:
        JSONDataset(filepath=str(self.folder / f"{name}.json")).save(value)

    def read(self, name: str) -> Any:
        return JSONDataset(filepath=str(self.folder / f"{name}.json")).load()

    def run(
        self,
        changes: dict[str, Any] | None = None,
        pipeline: Pipeline | None = None,
        only_missing: bool = True,
    ) -> list[str]:
        """Names of the nodes that ran."""
        parameters = {
            f"params:{name}": MemoryDataset(value) for name, value in (PARAMETERS | (changes or {})).items()
        }
        files = {
            name: JSONDataset(filepath=str(self.folder / f"{name}.json"))
            for name in ("raw", "scaled", "total", "copy")
        }
        other = {"type": "json.JSONDataset", "filepath": str(self.folder / "other.json")}
        catalog = FreshCatalog(
            {
                **parameters,
                **files,
                "parts": PartitionedDataset(
                    path=str(self.folder / "parts"), dataset="json.JSONDataset", filename_suffix=".json"
                ),
                "checkpoint": CheckpointDataset(str(self.folder / "checkpoint.pt")),
                "other_if_any": OptionalDataset(other),
                "weights": PretrainedWeightsDataset(str(self.folder / "weights")),
                "lineage": LineageDataset(str(self.folder / "lineage.json")),
            }
        )
        chosen = pipeline or _pipeline()
        hooks, ran = _create_hook_manager(), _Ran()
        hooks.register(FreshnessHook())
        hooks.register(ran)
        run_params = {"only_missing_outputs": only_missing}
        hooks.hook.after_context_created(context=SimpleNamespace(project_path=self.folder))
        hooks.hook.before_pipeline_run(run_params=run_params, pipeline=chosen, catalog=catalog)
        try:
            SequentialRunner().run(chosen, catalog, hooks, only_missing_outputs=only_missing)
        except RuntimeError as error:
            hooks.hook.on_pipeline_error(error=error, run_params=run_params, pipeline=chosen, catalog=catalog)
            raise
        hooks.hook.after_pipeline_run(run_params=run_params, run_result={}, pipeline=chosen, catalog=catalog)
        return sorted(ran.names)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """One in which everything was run once."""
    project = Project(tmp_path)
    assert project.run() == ["add_up", "copy", "scale", "split"]
    assert project.read("total") == 5 + 6 + 7
    return project


def test_nothing_runs_again_when_nothing_has_changed(project: Project) -> None:
    assert project.run() == []


@pytest.mark.parametrize(
    ("changes", "again"),
    [
        ({"a": {"scale": 2}}, ["add_up", "scale", "split"]),
        ({"b": {"shift": 2}}, ["add_up", "split"]),
        ({"c": {"unused": 2, "networks": []}}, ["copy"]),
    ],
)
def test_a_changed_parameter_runs_exactly_what_depends_on_it(
    project: Project, changes: dict[str, Any], again: list[str]
) -> None:
    assert project.run(changes) == again
    assert project.run(changes) == []
    assert project.run() == again  # and back again


def test_other_raw_data_are_noticed_and_the_same_written_again_are_not(project: Project) -> None:
    project.write("raw", 5)
    assert project.run() == []
    project.write("raw", 7)
    assert project.run() == ["add_up", "scale", "split"]
    assert project.read("total") == 7 + 8 + 9


def test_what_may_be_there_counts_once_it_is(project: Project) -> None:
    project.write("other", 3)
    assert project.run() == ["copy"]
    assert project.read("copy") == 3


def test_what_a_node_keeps_in_its_handle_is_no_change(project: Project) -> None:
    (project.folder / "checkpoint.pt").write_bytes(b"an epoch more")
    assert project.run() == []


@pytest.mark.parametrize(
    ("files", "again"),
    [
        (["other.safetensors", "other.json"], []),
        (["named.safetensors", "named.json"], ["copy"]),
        (["backbone.safetensors"], ["copy"]),  # not from a run: any network on that backbone begins with it
    ],
)
def test_of_networks_to_begin_with_only_those_count_that_a_parameter_names(
    project: Project, files: list[str], again: list[str]
) -> None:
    for name in files:
        (project.folder / "weights" / name).write_bytes(b"weights")
    assert project.run() == again


def test_a_removed_output_is_made_again_alone(project: Project) -> None:
    (project.folder / "scaled.json").unlink()
    assert project.run() == ["scale"]


def test_results_without_a_record_count_as_outdated(project: Project) -> None:
    (project.folder / "lineage.json").unlink()
    assert project.run() == ["add_up", "copy", "scale", "split"]


def test_a_later_run_of_the_first_nodes_alone_makes_the_others_outdated(project: Project) -> None:
    first = _pipeline().only_nodes("scale")
    assert project.run({"a": {"scale": 2}}, first, only_missing=False) == ["scale"]
    assert project.run({"a": {"scale": 2}}) == ["add_up", "split"]


def test_half_of_the_parts_are_no_result(project: Project) -> None:
    with pytest.raises(RuntimeError, match="full disk"):
        project.run({"b": {"shift": 2}}, _pipeline(_broken_parts))
    assert project.run() == ["split"]  # its first part is a wrong one; the total was never touched
    assert project.read("total") == 5 + 6 + 7


def test_a_plain_run_runs_everything(project: Project) -> None:
    assert project.run(only_missing=False) == ["add_up", "copy", "scale", "split"]


@pytest.mark.parametrize(("changes", "said"), [({"a": {"scale": 2}}, "a changed"), ({}, "")])
def test_a_run_from_the_middle_says_when_what_it_reads_is_outdated(
    project: Project, caplog: pytest.LogCaptureFixture, changes: dict[str, Any], said: str
) -> None:
    with caplog.at_level(logging.WARNING, "boneage_kedro"):
        project.run(
            changes, _pipeline().from_nodes("split").only_nodes("split", "add_up"), only_missing=False
        )
    messages = [record.getMessage() for record in caplog.records if record.name.startswith("boneage_kedro")]
    assert len(messages) == bool(said)
    assert all(
        "scaled.json" in text and said in text and "--only-missing-outputs" in text for text in messages
    )
