"""`--only-missing-outputs` makes anew what other parameters or data made, and partial runs say if they build on such.

Kedro itself asks only whether an output exists (`AbstractRunner.run`), whatever made it. Here the catalog says that
it does not if the record of how it was made (`boneage_kedro.lineage`) differs from how it would be made now. Files
stay until the node that makes them anew writes them.
"""

import logging
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import AbstractDataset, DataCatalog
from kedro.pipeline import Node, Pipeline

from boneage_kedro.datasets import AnnotationQueueDataset, CheckpointDataset, PretrainedWeightsDataset
from boneage_kedro.lineage import ABSENT, Lineage, Making, changes_since, stamp_files
from boneage_kedro.provenance import fingerprint

logger = logging.getLogger(__name__)

# what a node writes through its input is no cause of what it makes
_HANDLES = (AnnotationQueueDataset, CheckpointDataset)


class FreshCatalog(DataCatalog):
    """A catalog that knows which results are not what would be made now.

    Attributes:
        outdated: names of datasets that do not count as existing.
        kept_elsewhere: names of datasets without a file, such as metrics in MLflow, that an earlier run has saved.
    """

    outdated: frozenset[str] = frozenset()
    kept_elsewhere: frozenset[str] = frozenset()

    def exists(self, ds_name: str) -> bool:
        """Whether a dataset is there and is what would be made now."""
        if ds_name in self.outdated:
            return False
        return ds_name in self.kept_elsewhere or super().exists(ds_name)


class FreshnessHook:
    """Keeps the record of how results were made, and compares it with how they would be made now."""

    def __init__(self) -> None:
        self._project = Path.cwd()
        self._forget_run()

    def _forget_run(self) -> None:
        self._lineage: Lineage | None = None
        self._plan: dict[str, Making] = {}
        self._places: dict[str, str] = {}
        self._begun: set[str] = set()
        self._saving: Node | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember the project folder, and nothing of an earlier session."""
        self._project = Path(context.project_path)
        self._forget_run()

    @hook_impl
    def before_pipeline_run(
        self, run_params: Mapping[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Find what is outdated, before the runner asks what exists."""
        self._lineage = catalog.load("lineage")
        recorded = self._lineage.read()
        self._places = {name: self._place(name, catalog) for name in pipeline.datasets()}
        self._plan = self._plan_run(pipeline, catalog, recorded)
        made_before = {self._places[name] for name in pipeline.inputs() if not _is_parameter(name)}
        _warn_if_outdated((made_before & recorded.keys()) - self._plan.keys(), recorded, catalog)
        if run_params["only_missing_outputs"] and isinstance(catalog, FreshCatalog):
            self._mark(pipeline, catalog, recorded)

    def _mark(self, pipeline: Pipeline, catalog: FreshCatalog, recorded: Mapping[str, Making]) -> None:
        lasting = {name for name in pipeline.all_outputs() if not _dataset(name, catalog)._EPHEMERAL}
        fresh = {
            name for name in lasting if recorded.get(self._places[name]) == self._plan[self._places[name]]
        }
        catalog.outdated = frozenset(lasting - fresh)
        catalog.kept_elsewhere = frozenset(
            name for name in fresh if _path_of(_dataset(name, catalog)) is None
        )

    def _plan_run(
        self, pipeline: Pipeline, catalog: DataCatalog, recorded: Mapping[str, Making]
    ) -> dict[str, Making]:
        """How this run would make its results, by their places."""
        plan: dict[str, Making] = {}
        for node in pipeline.nodes:
            given = {name: _value(name, catalog) for name in node.inputs if _is_parameter(name)}
            parameters = {name: fingerprint(value) for name, value in given.items()}
            words = _words(given)
            own = {self._places[name] for name in node.outputs}
            sources = {
                self._places[name]: name
                for name in node.inputs
                if not (_is_parameter(name) or isinstance(_dataset(name, catalog), _HANDLES))
            }
            inputs = {
                place: self._stamp(place, name, catalog, words, plan, recorded)
                for place, name in sources.items()
                if place not in own  # what there is already of what it makes is its own business
            }
            plan |= dict.fromkeys(own, Making(node.name, parameters, inputs))
        return plan

    def _stamp(
        self,
        place: str,
        name: str,
        catalog: DataCatalog,
        words: Collection[str],
        plan: Mapping[str, Making],
        recorded: Mapping[str, Making],
    ) -> str:
        """Stands for what a node will read, whose parameters have these words."""
        dataset = _dataset(name, catalog)
        path, making = _path_of(dataset), plan.get(place)
        if making is None and path is not None and path.exists():
            making = recorded.get(place)
        if making is not None:
            return making.stamp
        if path is None:
            return ABSENT
        # of networks that others may begin with, only those that a parameter names are begun with
        kept = dataset.networks() if isinstance(dataset, PretrainedWeightsDataset) else set()
        return stamp_files(path, kept.difference(words))

    def _place(self, name: str, catalog: DataCatalog) -> str:
        """Where a dataset is, the same for all datasets of the same files; its name if it is no file."""
        path = _path_of(_dataset(name, catalog))
        if path is None:
            return name
        return (path.relative_to(self._project) if path.is_relative_to(self._project) else path).as_posix()

    @hook_impl
    def before_dataset_loaded(self, node: Node) -> None:
        """A node that reads has the one before it behind it; that a generator has ended is told in no other way."""
        if node is not self._saving:
            self._record()

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """What follows is that its outputs are saved."""
        self._saving = node

    @hook_impl
    def before_dataset_saved(self, dataset_name: str) -> None:
        """From here until the node's end it is neither what it was nor what it will be."""
        if self._lineage is not None and dataset_name not in self._begun:
            self._begun.add(dataset_name)  # a generator saves it many times
            self._lineage.forget(self._places[dataset_name])

    @hook_impl
    def on_pipeline_error(self) -> None:
        """What was being saved is not whole."""
        self._saving = None

    @hook_impl
    def after_pipeline_run(self) -> None:
        """The last node is done."""
        self._record()

    def _record(self) -> None:
        if self._lineage is not None and self._saving is not None:
            places = [self._places[name] for name in self._saving.outputs]
            self._lineage.add({place: self._plan[place] for place in places})
        self._saving = None


def _warn_if_outdated(places: set[str], recorded: Mapping[str, Making], catalog: DataCatalog) -> None:
    names = {name for making in recorded.values() for name in making.parameters}
    now = {name: fingerprint(_value(name, catalog)) for name in names}
    reasons = {place: changes_since(place, recorded, now) for place in places}
    outdated = {place: found for place, found in reasons.items() if found}
    if outdated:
        changed = {reason.removeprefix("params:") for found in outdated.values() for reason in found}
        logger.warning(
            "This run goes on from %s, and %s changed since; `kedro run --only-missing-outputs` makes anew all that "
            "depends on that.",
            ", ".join(sorted(outdated)),
            ", ".join(sorted(changed)),
        )


def _is_parameter(name: str) -> bool:
    return name == "parameters" or name.startswith("params:")


def _value(parameter: str, catalog: DataCatalog) -> Any:
    return catalog.load(parameter) if parameter in catalog else None


def _words(values: Any) -> set[str]:
    """All strings in nested parameters."""
    if isinstance(values, str):
        return {values}
    if isinstance(values, Mapping):
        values = values.values()
    return set().union(*map(_words, values)) if isinstance(values, Iterable) else set()


def _dataset(name: str, catalog: DataCatalog) -> AbstractDataset[Any, Any]:
    return cast("AbstractDataset[Any, Any]", catalog.get(name, fallback_to_runtime_pattern=True))


def _path_of(dataset: AbstractDataset[Any, Any]) -> Path | None:
    """The file or folder of a dataset, also of one in another."""
    inner = getattr(dataset, "_dataset", dataset)
    path = getattr(inner, "_filepath", None) or getattr(inner, "_path", None)
    return Path(str(path)) if path and inner is not None else None
