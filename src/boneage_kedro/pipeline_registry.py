"""The named pipelines and what a plain ``kedro run`` does."""

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline

from boneage_kedro.hooks import chain_start

# In the order data flows; `assess` is left out, since it works on files that a person names.
HANDS = ("hand_active_learning", "gan_enhance")
CHAIN = ("data_prep", *HANDS, "ptl_regression", "explain", "package", "report")


def register_pipelines() -> dict[str, Pipeline]:
    """All pipelines by name; ``__default__`` starts with the phantom unless the environment brings files.

    Where hands cannot be masked it goes without them, by whole pictures.
    """
    pipelines = find_pipelines(raise_errors=True)
    start = chain_start()
    chain = CHAIN if start.source == "files" else ("fabricate", *CHAIN)
    left_out = HANDS if start.lacking else ()
    wanted = (pipelines[name] for name in chain if name in pipelines and name not in left_out)
    pipelines["__default__"] = sum(wanted, Pipeline([]))
    return pipelines
