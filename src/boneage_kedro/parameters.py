"""Check of all parameters at start-up, with messages that name the file and the key."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args, get_type_hints

import yaml
from pydantic import TypeAdapter, ValidationError
from typing_extensions import is_typeddict

# given on the command line with --params, used by the catalog
COMMAND_LINE_PARAMETERS = frozenset(
    {"assess_images", "assess_cases", "assess_output", "assess_package", "hand_masks", "hand_queue"}
)


class ParameterError(ValueError):
    """A parameter is missing, unknown or of the wrong kind."""


def check_parameters(parameters: Mapping[str, Any], folders: Sequence[Path]) -> None:
    """Check every block against the ``Params`` type of the pipeline of the same name.

    Args:
        parameters: all parameters as Kedro resolved them.
        folders: configuration folders, the one that wins first; used to name the file in messages.

    Raises:
        ParameterError: lists everything that is wrong, one line each.
    """
    problems: list[str] = []
    for block, values in parameters.items():
        if block in COMMAND_LINE_PARAMETERS:
            continue
        if find_spec(f"boneage_kedro.pipelines.{block}") is None:
            problems.append(_unknown_block(block, parameters))
            continue
        params_type = import_module(f"boneage_kedro.pipelines.{block}.params").Params
        problems += _problems(block, values, params_type, folders)
    if problems:
        raise ParameterError("wrong parameters:\n  " + "\n  ".join(problems))


def _problems(block: str, values: Any, params_type: type, folders: Sequence[Path]) -> list[str]:
    _forbid_unknown_keys(params_type)
    try:
        TypeAdapter(params_type).validate_python(values, strict=True)
    except ValidationError as error:
        found = [((block, *problem["loc"]), problem) for problem in error.errors()]
        return [f"{_file_of(path, folders)}: {_line(path, problem)}" for path, problem in found]
    return []


def _forbid_unknown_keys(kind: Any) -> None:
    """Tell pydantic to refuse unknown keys in this TypedDict and in all that it is made of."""
    if is_typeddict(kind):
        kind.__pydantic_config__ = {"extra": "forbid"}
        for hint in get_type_hints(kind).values():
            _forbid_unknown_keys(hint)
    for argument in get_args(kind):
        _forbid_unknown_keys(argument)


def _line(path: Sequence[str | int], problem: Any) -> str:
    key = ".".join(map(str, path))
    if problem["type"] == "missing":
        return f"{key} is missing; add it"
    if problem["type"] == "extra_forbidden":
        return f"{key} is not a known key; remove it or correct its name"
    return f"{key} = {problem['input']!r}: {problem['msg']}"


def _unknown_block(block: str, parameters: Mapping[str, Any]) -> str:
    close = get_close_matches(block, [*parameters, *COMMAND_LINE_PARAMETERS], n=2)
    others = [name for name in close if name != block]
    hint = f"; did you mean {others[0]}?" if others else ""
    return f"{block}: no pipeline of that name has parameters, and it is no command-line parameter{hint}"


def _file_of(path: Sequence[str | int], folders: Sequence[Path]) -> str:
    """The file that sets a key, or as much of its path as any does, as ``env/name.yml``."""
    files = [file for folder in folders for file in sorted(folder.glob("**/parameters*.yml"))]
    depths = [_depth(path, yaml.safe_load(file.read_text(encoding="utf-8"))) for file in files]
    if not max(depths, default=0):
        return "--params"
    file = files[depths.index(max(depths))]
    return f"{file.parent.name}/{file.name}"


def _depth(path: Sequence[str | int], values: Any) -> int:
    """How many steps of a path there are in nested values."""
    for depth, key in enumerate(path):
        try:
            values = values[key]
        except (KeyError, IndexError, TypeError):
            return depth
    return len(path)
