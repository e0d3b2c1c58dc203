"""What happens around a run: what its chain begins with, the check of parameters, and the record kept of the run."""

import atexit
import csv
import logging
import subprocess
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
from filelock import FileLock
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline
from kedro_datasets.pandas import CSVDataset
from rich.console import Console

from boneage_kedro.datasets import FreshPartitionedDataset, ModelPackageDataset, RadiographFolderDataset
from boneage_kedro.parameters import check_parameters
from boneage_kedro.provenance import fingerprint_table

logger = logging.getLogger(__name__)

PRETRAINED = Path("data", "06_models", "pretrained")
"""Where the project looks for networks that were trained elsewhere, as ``pretrained_weights`` in the catalog."""

DATA_ROOT_UNSET = "BONEAGE_DATA_is_not_set"
"""Stands in paths for the folder of real radiographs where nobody has named it."""

RECORD_LOCK = "mlflow.db.lock"
"""Held while MLflow's database is opened; in the project folder, whatever the tracking server."""

PICTURES = {"whole": "image_store", "hand": "hand_store", "enhanced": "enhanced_store@store"}
"""The datasets of pictures, by ``ptl_regression.images``."""


@dataclass(frozen=True)
class ChainStart:
    """What a plain ``kedro run`` begins with.

    Attributes:
        source: where the radiographs come from: ``phantom`` (made here) or ``files``.
        lacking: the name of the committee that would mask the hands, if it is to be taken from elsewhere and is not
            there.
        images: the pictures that the network of ages reads, a key of `PICTURES`.
    """

    source: str = "phantom"
    lacking: str | None = None
    images: str = "whole"

    @property
    def pictures(self) -> str:
        """The dataset of these pictures."""
        return PICTURES.get(self.images, "image_store")  # what is no key is told by the check of parameters


_start = ChainStart()


def chain_start() -> ChainStart:
    """What the environment of this run says."""
    return _start


QUIETED = {
    "kedro.io.data_catalog": logging.WARNING,  # a line a dataset; a generator node saves hundreds of times
    "kedro.validation.type_extractor": logging.ERROR,  # it cannot see types that nodes import only for checking
    "py.warnings": logging.ERROR,  # deprecations between Kedro, its plugins and omegaconf
}


class LogHook:
    """Keeps the log of a run to what a person can use."""

    @hook_impl(tryfirst=True)
    def after_context_created(self) -> None:
        """Kedro has set up its logging by now, and would undo this before."""
        for name, level in QUIETED.items():
            logging.getLogger(name).setLevel(level)


class ChainStartHook:
    """Tells the pipeline registry what the environment has, and the user what it lacks."""

    @hook_impl(tryfirst=True)  # whoever looks at the parameters makes Kedro build and keep the pipelines
    def after_context_created(self, context: KedroContext) -> None:
        """Runs before Kedro asks for the pipelines.

        Raises:
            ValueError: ``source`` in ``globals.yml`` is unknown.
        """
        global _start  # noqa: PLW0603  (Kedro gives register_pipelines no argument)
        source = context.config_loader["globals"]["source"]
        if source not in {"phantom", "files"}:
            raise ValueError(f"globals.yml: source: {source!r} is not one of phantom, files")
        # not `context.params`: whoever asks for those makes Kedro build the pipelines
        parameters = context.config_loader["parameters"]
        images = parameters.get("ptl_regression", {}).get("images", "whole")
        _start = ChainStart(source, _lacking_committee(context, parameters), images)

    @hook_impl
    def before_pipeline_run(self, run_params: Mapping[str, Any]) -> None:
        """Say that the plain run goes without masks of hands.

        Raises:
            ValueError: ages are to be learnt from hands that cannot be masked.
        """
        if not _start.lacking or run_params["pipeline_names"]:
            return
        if _start.images != "whole":
            raise ValueError(
                f"ptl_regression.images: {_start.images} needs masks of hands, but {_start.lacking}.safetensors, the "
                f"committee that is to make them, is not in {PRETRAINED}: docs/data.md (Masks of the hand) says how "
                "to make it; or set ptl_regression.images to whole"
            )
        logger.warning(
            "Hands are not masked, cut out and enhanced, as %s.safetensors is not in %s; ages are learnt from "
            "whole pictures. docs/data.md (Masks of the hand) says how to make it.",
            _start.lacking,
            PRETRAINED,
        )


def _lacking_committee(context: KedroContext, parameters: Mapping[str, Any]) -> str | None:
    hands = parameters.get("hand_active_learning", {})
    name = hands.get("network", {}).get("initial_weights")
    taken = name and hands.get("query", {}).get("labels") == 0
    there = taken and Path(context.project_path, PRETRAINED, f"{name}.safetensors").exists()
    return name if taken and not there else None


class ParameterCheckHook:
    """Stops a run before its first node when a parameter is missing, misspelt or of the wrong kind."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Check all parameter blocks of the environment."""
        folders = [Path(context.config_loader.conf_source) / env for env in (context.env or "local", "base")]
        check_parameters(context.params, folders)


class RunRecordHook:
    """Adds the commit and the data's fingerprint to the MLflow run, and says at the end where things are."""

    def __init__(self) -> None:
        self._project = Path.cwd()
        self._run_id: str | None = None
        self._data: dict[str, Any] = {}

    @hook_impl(wrapper=True)
    def after_context_created(self, context: KedroContext) -> Generator[None, Any, Any]:
        """Remember the project folder, and nothing of an earlier session; let one run at a time open the record.

        kedro-mlflow opens it in this hook. Where two runs are started at once in a new project, both would make the
        tables of its database, and the later one fails.
        """
        self._project = Path(context.project_path)
        self._run_id, self._data = None, {}
        with FileLock(self._project / RECORD_LOCK):
            return (yield)

    @hook_impl(trylast=True)  # kedro-mlflow starts the run in the same hook
    def before_pipeline_run(self) -> None:
        """Tag the run with the commit it runs."""
        run = mlflow.active_run()
        self._run_id = run.info.run_id if run else None
        if run:
            mlflow.set_tag("git_commit", git_commit(self._project))
            atexit.register(self._end_as_killed)

    @hook_impl
    def after_dataset_loaded(self, dataset_name: str, data: Any) -> None:
        """Tag the run with the fingerprints of the pictures and labels it used, once both are known."""
        wanted = ("cases", _start.pictures)
        if not self._run_id or dataset_name not in wanted or dataset_name in self._data:
            return
        self._data[dataset_name] = data
        if len(self._data) == len(wanted):
            cases, store = (self._data[name] for name in wanted)
            mlflow.set_tag("data_fingerprint", store.fingerprint(cases["id"].tolist()))
            mlflow.set_tag("labels_fingerprint", fingerprint_table(cases))

    @hook_impl
    def on_pipeline_error(self) -> None:
        """The run has its end: kedro-mlflow marks it FAILED."""
        self._run_id = None

    def _end_as_killed(self) -> None:
        """Mark a run that was interrupted, of which Kedro tells no hook."""
        if self._run_id and mlflow.active_run():
            mlflow.end_run("KILLED")

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Print where the report, the pictures and the MLflow run are."""
        lines = _where_to_look(_files_to_read(pipeline, catalog))
        if self._run_id:
            lines.append(f"MLflow run  {self._run_id} (`make ui` shows it)")
        self._run_id = None
        Console(soft_wrap=True).print("\n".join(["", *lines, ""]), markup=False, highlight=False)


class QuestionHook:
    """Ends a run that has to wait for people, without an error: the next run goes on from there.

    A node asks by saving rows (``id, picture``) in a dataset whose name ends in ``open_questions``.
    """

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Stop once there are open questions.

        Raises:
            SystemExit: with the status of success.
        """
        if not dataset_name.endswith("open_questions") or data.empty:
            return
        if mlflow.active_run():
            mlflow.set_tag("waits_for_masks", len(data))
            mlflow.end_run("FINISHED")
        folder = _short(Path(data["picture"].iloc[0]).parents[1])
        text = (
            f"\n{len(data)} masks are wanted before this can go on. They are asked for in {folder}: see README.txt "
            f"there, or draw them with `make annotate QUEUE={folder}`. Then give the same command again.\n"
        )
        Console(soft_wrap=True).print(text, markup=False, highlight=False)
        raise SystemExit(0)


_PACKAGE_ADVICE = (
    "name one with --params=assess_package=FOLDER, such as data/06_models/released/rsna, which comes with the "
    "project, or make one with kedro run --pipelines=package"
)
_ASSESS_OPTIONS = {"assess_table": "assess_cases", "assess_radiographs": "assess_images"}


class GivenFilesHook:
    """Says before anything runs which file is missing, or no text, of those that a person is to give."""

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Look for tables and radiographs of the layer ``raw``; what else there is of it may be left out.

        Raises:
            FileNotFoundError: one is not there.
            ValueError: a table is not UTF-8, or a row of it has more cells than its header.
        """
        for name in sorted(pipeline.inputs()):
            dataset = catalog.get(name)
            if isinstance(dataset, ModelPackageDataset) and not dataset.exists():
                raise FileNotFoundError(
                    f"{name}: {_short(dataset.folder)} holds no packed model; {_PACKAGE_ADVICE}"
                )
            if not isinstance(dataset, CSVDataset | RadiographFolderDataset):
                continue
            file = _file_of(dataset, layer="raw")
            optional = isinstance(dataset, RadiographFolderDataset) and dataset.optional
            if not file or (optional and DATA_ROOT_UNSET not in file.parts):
                continue
            if file.exists():
                if isinstance(dataset, CSVDataset):
                    _check_utf8(name, file)
                    _check_cells(name, file)
                continue
            advice = "put it there, or run the pipeline that makes it"
            if DATA_ROOT_UNSET in file.parts:
                advice = "set the environment variable BONEAGE_DATA to the folder with labels and radiographs"
            if option := _ASSESS_OPTIONS.get(name):
                advice = f"name yours with --params={option}=..."
            raise FileNotFoundError(f"{name}: there is no {_short(file)}; {advice}")


class ResultPlaceHook:
    """Says before anything runs where files of other people lie in a folder that a run empties."""

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Look into the folders that hold what one run writes and nothing else.

        Raises:
            DatasetError: as `boneage_kedro.datasets.FreshPartitionedDataset.check_place`.
        """
        for name in sorted(pipeline.all_outputs()):
            dataset = catalog.get(name)
            if isinstance(dataset, FreshPartitionedDataset):
                dataset.check_place()


def _check_utf8(name: str, file: Path) -> None:
    """Refuse a table as Excel saves it by default; pandas says which byte it cannot read, but not what to do."""
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                raise ValueError(
                    f"{name}: line {number} of {_short(file)} is not UTF-8 text; save it as CSV UTF-8 "
                    "(a choice of its own in Excel) and run again"
                ) from None


def _check_cells(name: str, file: Path) -> None:
    """Refuse a table with cells that stand under no header: pandas would take each cell for the one before it."""
    with file.open(encoding="utf-8-sig", newline="") as text:
        rows = csv.reader(text)
        header = next(rows, [])
        if len(header) < 2:  # a table of another separator, of which its reader tells
            return
        for row in rows:
            if len(row) > len(header):
                raise ValueError(
                    f"{name}: line {rows.line_num} of {_short(file)} has {len(row)} cells, and the header "
                    f"{len(header)}; take away commas at its end, and put text with commas in quotes"
                )


class ReleaseHook:
    """Lets go of what a failed node was writing, so that another try in the same process can write it."""

    @hook_impl
    def on_node_error(self, node: Node, catalog: DataCatalog) -> None:
        """Release the node's outputs."""
        for name in node.outputs:
            catalog.release(name)


def git_commit(project: Path) -> str:
    """Commit of the project, with ``+changes`` when the work tree differs, or ``unknown`` outside git."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+changes"],  # noqa: S607
            cwd=project,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()


def _files_to_read(pipeline: Pipeline, catalog: DataCatalog) -> list[Path]:
    """Outputs of the run that a person reads: those of the layer ``reporting``."""
    files = (_file_of(catalog.get(name), layer="reporting") for name in sorted(pipeline.all_outputs()))
    return [file for file in files if file]


def _file_of(dataset: Any, layer: str) -> Path | None:
    """File or folder of a dataset, if it has one and is of this layer."""
    metadata = getattr(dataset, "metadata", None) or {}
    path = getattr(dataset, "_filepath", None) or getattr(dataset, "_path", None)
    return Path(str(path)) if path and metadata.get("kedro-viz", {}).get("layer") == layer else None


def _where_to_look(files: list[Path]) -> list[str]:
    """A line for each report, and one for each folder of figures and tables."""
    reports = [f"Report      {_short(file)}" for file in files if file.suffix == ".html"]
    folders = dict.fromkeys(file if file.suffix == "" else file.parent for file in files)
    return reports + [f"Results     {_short(folder)}" for folder in folders if folder.exists()]


def _short(path: Path) -> Path:
    """Relative to where the command was started, when it lies below."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
