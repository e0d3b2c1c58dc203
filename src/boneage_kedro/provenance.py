"""What made a result: fingerprints of code, tables and plain values, the same on every machine."""

import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd


def digest(content: bytes) -> str:
    """A short name of some bytes."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def fingerprint(*parts: Any) -> str:
    """A short name of plain values: equal values have equal names."""
    return digest(json.dumps(parts, sort_keys=True).encode())


def fingerprint_table(table: pd.DataFrame) -> str:
    """A short name of a table: its columns, values and order; the index does not count."""
    return fingerprint(
        table.columns.tolist(), [[str(value) for value in row] for row in table.values.tolist()]
    )


@cache
def fingerprint_code(*packages: str) -> str:
    """A short name of the code and data files of packages inside this project, such as ``imaging``.

    Results that outlive a run carry it, so that none is taken for what other code would have made. ``training/*``
    are the modules of ``training`` itself, without the packages in it.
    """
    found = hashlib.blake2b(digest_size=16)
    for package in packages:
        root = files("boneage_kedro").joinpath(package.removesuffix("/*"))
        for name, content in sorted(_walk(root, into_packages=not package.endswith("/*"))):
            found.update(name.encode() + content)
    return found.hexdigest()


def _walk(folder: Any, into_packages: bool, prefix: str = "") -> list[tuple[str, bytes]]:
    """Relative name and content of each source file."""
    found = []
    for entry in folder.iterdir():
        name = f"{prefix}{entry.name}"
        if entry.is_dir():
            found += _walk(entry, True, f"{name}/") if into_packages else []
        elif entry.name.endswith((".py", ".npz")):
            found.append((name, entry.read_bytes()))
    return found
