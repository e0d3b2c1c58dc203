"""What happens around a run, where it needs no run."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock, Timeout
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog, DatasetError
from kedro.pipeline import Node, Pipeline
from kedro_datasets.pandas import CSVDataset
from pluggy import PluginManager

from boneage_kedro import hooks
from boneage_kedro.datasets import FreshPartitionedDataset, ModelPackageDataset, RadiographFolderDataset


class OpensTheRecord:
    """As kedro-mlflow does, and sees whether another run could do so at the same time."""

    alone = False

    @hook_impl
    def after_context_created(self, context: SimpleNamespace) -> None:
        with pytest.raises(Timeout):
            FileLock(context.project_path / hooks.RECORD_LOCK).acquire(timeout=0)
        self.alone = True


def test_one_run_at_a_time_opens_the_record(tmp_path: Path) -> None:
    opens, manager = OpensTheRecord(), PluginManager("kedro")
    for hook in (opens, hooks.RunRecordHook()):
        manager.register(hook)
    manager.hook.after_context_created(context=SimpleNamespace(project_path=tmp_path))
    assert opens.alone
    with FileLock(tmp_path / hooks.RECORD_LOCK).acquire(timeout=0):  # the next one may
        pass


def test_cut_hands_that_nobody_can_cut_stop_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "_start", hooks.ChainStart("files", lacking="nobody", images="hand"))
    with pytest.raises(ValueError, match=r"images: hand needs masks of hands, but nobody\.safetensors"):
        hooks.ChainStartHook().before_pipeline_run({"pipeline_names": None})
    hooks.ChainStartHook().before_pipeline_run({"pipeline_names": ["data_prep"]})


def test_a_table_of_another_encoding_is_told_with_its_line(tmp_path: Path) -> None:
    table = tmp_path / "cases.csv"
    table.write_bytes("id,sex\n1,F\nMüller,M\n".encode("latin-1"))
    raw = {"kedro-viz": {"layer": "raw"}}
    catalog = DataCatalog({"table": CSVDataset(filepath=str(table), metadata=raw)})
    reading = Pipeline([Node(lambda cases: cases, "table", "cases")])
    with pytest.raises(ValueError, match=r"line 3 of .*cases\.csv is not UTF-8 text; save it as CSV UTF-8"):
        hooks.GivenFilesHook().before_pipeline_run(reading, catalog)
    table.write_text("id,sex\nMüller,M\n", encoding="utf-8-sig")
    hooks.GivenFilesHook().before_pipeline_run(reading, catalog)


@pytest.mark.parametrize("row", ["8979,F,130,", 'm1,M,,"seen, by X"'])
def test_a_row_with_more_cells_than_the_header_is_told(tmp_path: Path, row: str) -> None:
    """Pandas would take the ids for an index, and each cell for that of the column before."""
    table, raw = tmp_path / "cases.csv", {"kedro-viz": {"layer": "raw"}}
    catalog = DataCatalog({"table": CSVDataset(filepath=str(table), metadata=raw)})
    reading = Pipeline([Node(lambda cases: cases, "table", "cases")])
    head = 'id,sex,chronological_age_months\n"a,\nb",F,\n'
    table.write_text(f"{head}{row}\n", encoding="utf-8")
    with pytest.raises(
        ValueError, match=r"line 4 of .*cases\.csv has 4 cells, and the header 3; take away commas"
    ):
        hooks.GivenFilesHook().before_pipeline_run(reading, catalog)
    table.write_text(f"{head}m2,M\n", encoding="utf-8")
    hooks.GivenFilesHook().before_pipeline_run(reading, catalog)


def test_a_package_that_is_not_there_is_told_before_anything_runs(tmp_path: Path) -> None:
    catalog = DataCatalog({"package": ModelPackageDataset(str(tmp_path))})
    with pytest.raises(
        FileNotFoundError, match=rf"package: {tmp_path} holds no packed model; name one with "
    ):
        hooks.GivenFilesHook().before_pipeline_run(Pipeline([Node(len, "package", "count")]), catalog)


def test_files_in_the_way_stop_a_run_before_it_writes_any(tmp_path: Path) -> None:
    catalog = DataCatalog({"pages": FreshPartitionedDataset(path=str(tmp_path), dataset="json.JSONDataset")})
    writing = Pipeline([Node(lambda cases: cases, "cases", "pages")])
    hooks.ResultPlaceHook().before_pipeline_run(writing, catalog)
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"notes\.txt there was not written by a run"):
        hooks.ResultPlaceHook().before_pipeline_run(writing, catalog)


def test_only_an_optional_folder_may_be_missing(tmp_path: Path) -> None:
    raw = {"kedro-viz": {"layer": "raw"}}
    reading = Pipeline([Node(len, "masks", "count")])

    def folder(optional: bool) -> RadiographFolderDataset:
        return RadiographFolderDataset(str(tmp_path / "masks"), optional=optional, metadata=raw)

    with pytest.raises(FileNotFoundError, match=r"masks: there is no .*masks; put it there"):
        hooks.GivenFilesHook().before_pipeline_run(reading, DataCatalog({"masks": folder(optional=False)}))
    hooks.GivenFilesHook().before_pipeline_run(reading, DataCatalog({"masks": folder(optional=True)}))
    assert len(folder(optional=True).load()) == 0
    nobody_said = str(Path(hooks.DATA_ROOT_UNSET, "masks"))
    lost = RadiographFolderDataset(nobody_said, optional=True, metadata=raw)
    with pytest.raises(FileNotFoundError, match="set the environment variable BONEAGE_DATA"):
        hooks.GivenFilesHook().before_pipeline_run(reading, DataCatalog({"masks": lost}))
