"""What the papers print, from ``papers.yml`` beside this module."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd
import yaml


@dataclass(frozen=True)
class Printed:
    """A table, a figure or a statement of a paper.

    Attributes:
        paper: its number, as "001".
        place: which table or figure.
        section: of the paper, empty where there is none.
        unit: of its figures.
        data: what they were measured on.
        says: what the paper concludes.
        caveat: what a reader must know before comparing.
        values: its figures as printed, missing where there is none; without rows where it prints pictures alone.
    """

    paper: str
    place: str
    section: str
    unit: str
    data: str
    says: str
    caveat: str
    values: pd.DataFrame

    @property
    def title(self) -> str:
        """Where it is found, as "Paper 001, table 1"."""
        return f"Paper {self.paper}, {self.place}"


def printed(key: str) -> Printed:
    """What is found under a name of ``papers.yml``.

    Raises:
        KeyError: there is no such name.
    """
    entry = dict(_entries()[key])
    values = pd.DataFrame(entry.pop("rows", []), columns=entry.pop("columns", None))
    return Printed(**entry, values=values)


def all_printed() -> dict[str, Printed]:
    """Everything, by its name."""
    return {key: printed(key) for key in _entries()}


@cache
def _entries() -> dict[str, dict[str, Any]]:
    text = files(__package__).joinpath("papers.yml").read_text(encoding="utf-8")
    entries: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return entries
