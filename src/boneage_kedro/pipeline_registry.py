"""The named pipelines and what a plain ``kedro run`` does."""

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline

from boneage_kedro.hooks import data_source

# In the order data flows; `assess` is left out, since it works on files that a person names.
CHAIN = ("data_prep", "ptl_regression", "explain", "package", "report")


def register_pipelines() -> dict[str, Pipeline]:
    """All pipelines by name; ``__default__`` starts with the phantom unless the environment brings files."""
    pipelines = find_pipelines(raise_errors=True)
    chain = CHAIN if data_source() == "files" else ("fabricate", *CHAIN)
    pipelines["__default__"] = sum((pipelines[name] for name in chain if name in pipelines), Pipeline([]))
    return pipelines
