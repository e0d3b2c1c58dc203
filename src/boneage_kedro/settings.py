"""Project settings read by Kedro: hooks and the configuration loader's resolvers.

Resolvers for ``conf``:
    ``${root:}``       the project folder, so that nothing depends on the folder a command is started in;
    ``${data_root:}``  the folder with real radiographs, from the environment variable BONEAGE_DATA;
    ``${cwd:PATH}``    a path given on the command line, relative to where the command was started.
"""

import os
import warnings
from pathlib import Path

from boneage_kedro.freshness import FreshCatalog, FreshnessHook
from boneage_kedro.hooks import (
    DATA_ROOT_UNSET,
    ChainStartHook,
    GivenFilesHook,
    LogHook,
    ParameterCheckHook,
    QuestionHook,
    ReleaseHook,
    ResultPlaceHook,
    RunRecordHook,
)

warnings.filterwarnings("ignore", message=".*register_new_resolver")  # comes before hooks could quieten it

PROJECT_ROOT = Path(__file__).resolve().parents[2]


def _data_root() -> str:
    folder = os.environ.get("BONEAGE_DATA")
    # the catalog is resolved as a whole, also for pipelines that read no raw data: those must run without it
    return Path(folder).resolve().as_posix() if folder else DATA_ROOT_UNSET


def _cwd(path: str | int | None) -> str | None:  # --params turns 2024 into a number
    return Path(str(path)).resolve().as_posix() if path else None


HOOKS = (
    LogHook(),
    ChainStartHook(),
    ParameterCheckHook(),
    GivenFilesHook(),
    ResultPlaceHook(),
    RunRecordHook(),
    FreshnessHook(),
    QuestionHook(),
    ReleaseHook(),
)
DATA_CATALOG_CLASS = FreshCatalog
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "merge_strategy": {"parameters": "soft"},  # an environment changes single keys, not whole blocks
    "custom_resolvers": {
        "root": PROJECT_ROOT.as_posix,
        "data_root": _data_root,
        "cwd": _cwd,
    },
}
