"""The named pipelines and what a plain ``kedro run`` does."""

import difflib
import pkgutil

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline

from boneage_kedro import pipelines as package
from boneage_kedro.hooks import chain_start

# In the order data flows; `assess` is left out, since it works on files that a person names.
HANDS = ("hand_active_learning", "gan_enhance")
CHAIN = ("data_prep", *HANDS, "ptl_regression", "explain", "package", "report")


def register_pipelines() -> dict[str, Pipeline]:
    """All pipelines by name; ``__default__`` starts with the phantom unless the environment brings files.

    Where hands cannot be masked it goes without them, by whole pictures.

    Raises:
        ValueError: a pipeline that is asked for by name is none.
    """
    pipelines = _find_pipelines()
    start = chain_start()
    chain = CHAIN if start.source == "files" else ("fabricate", *CHAIN)
    left_out = HANDS if start.lacking else ()
    wanted = (pipelines[name] for name in chain if name in pipelines and name not in left_out)
    pipelines["__default__"] = sum(wanted, Pipeline([]))
    return pipelines


def _find_pipelines() -> dict[str, Pipeline]:
    try:
        return find_pipelines(raise_errors=True)
    except ImportError as error:
        if error.__cause__:  # a pipeline that is there cannot be imported
            raise
        name = str(error).split("'")[1].rpartition(".")[2]  # Kedro says no more of a mistyped one
        known = [module.name for module in pkgutil.iter_modules(package.__path__) if module.ispkg]
        near = difflib.get_close_matches(name, known, 1)
        meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise ValueError(f"there is no pipeline {name!r}; {meant}") from None
