"""What a section of the evidence is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from boneage_kedro.evaluation.evidence.papers import printed
from boneage_kedro.evaluation.report import NotRun, Section, Table

Found = Mapping[str, pd.DataFrame]
"""Tables that runs have left, by name; what was not run is not there."""


@dataclass(frozen=True)
class Subject:
    """A section of the evidence: what it is made of, and which pipelines make that.

    Attributes:
        tell: gives its tables, from where the data come and what was found.
        needs: tables without which there is nothing to tell.
        uses: tables that may be missing or empty.
        figures: name -> what is to be seen, for those who cannot see it.
        papers: names of ``papers.yml`` that it stands beside.
        pipelines: that are to be run for it.
    """

    heading: str
    text: str
    tell: Callable[[str, Found], list[Table]]
    needs: tuple[str, ...]
    pipelines: str
    uses: tuple[str, ...] = ()
    figures: Mapping[str, str] = field(default_factory=dict)
    papers: tuple[str, ...] = ()


def tell_subject(subject: Subject, source: str, found: Found) -> Section:
    """The section of a subject whose tables were found; without tables of its own if there was nothing to measure.

    Args:
        source: where the data come from, as "phantoms"; every table says it.

    Raises:
        ValueError: a table lacks a column.
    """
    filled = {name: table for name, table in found.items() if len(table)}
    try:
        tables = subject.tell(source, filled) if set(subject.needs) <= set(filled) else []
    except KeyError as error:
        raise ValueError(
            f"the tables of {subject.heading!r} ({', '.join(subject.needs)}) have no column {error}, as an earlier "
            f"version of the project has made them; run --pipelines={subject.pipelines} again, or delete them"
        ) from error
    beside = [printed(key) for key in subject.papers]
    return Section(subject.heading, subject.text, beside, tables, subject.figures)


def name_subject(subject: Subject, command: str) -> NotRun:
    """A line in place of the section of a subject that was not run.

    Args:
        command: that runs pipelines of this environment, as ``kedro run --env=rsna``.
    """
    beside = "; ".join(printed(key).title for key in subject.papers)
    return NotRun(subject.heading, beside, f"{command} --pipelines={subject.pipelines}")
