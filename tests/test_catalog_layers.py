"""Kedro-Viz shows the layers of a pipeline only if they have an order: none is made from one that comes after it."""

from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import CatalogConfigResolver
from kedro.pipeline import Pipeline

PROJECT = Path(__file__).resolve().parents[1]

pytestmark = [  # Kedro and MLflow warn of their own dependencies' deprecations here
    pytest.mark.xdist_group("project"),
    pytest.mark.filterwarnings("default"),
]


def test_layers_of_every_pipeline_have_an_order() -> None:
    bootstrap_project(PROJECT)
    with KedroSession.create(PROJECT, env="test") as session:
        resolver = CatalogConfigResolver(session.load_context().config_loader["catalog"])
    for name, pipeline in pipelines.items():
        order = TopologicalSorter(_made_from(pipeline, resolver))
        order.prepare()  # a CycleError names the layers
        assert order.is_active(), name


def _made_from(pipeline: Pipeline, resolver: CatalogConfigResolver) -> dict[str, set[str]]:
    """For each layer the others that it is made from; a dataset without a layer is an error."""

    def layer(dataset: str) -> str:
        found: str = resolver.resolve_pattern(dataset)["metadata"]["kedro-viz"]["layer"]
        return found

    before: dict[str, set[str]] = {}
    for node in pipeline.nodes:
        inputs = {layer(name) for name in node.inputs if not name.startswith("params:")}
        for made in map(layer, node.outputs):
            before.setdefault(made, set()).update(inputs - {made})
    return before
