"""A page of tables and figures as one HTML file that needs nothing else."""

import base64
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader
from PIL.Image import Image

from boneage_kedro.evaluation.evidence.papers import Printed


@dataclass(frozen=True)
class Column:
    """A column as a person reads it.

    Beside the value of ``key`` stand ``key_sd``, and ``key_low`` and ``key_high``, where the table has them.
    """

    key: str
    title: str
    form: str = "{}"


@dataclass(frozen=True)
class Basis:
    """What the figures of a table rest on.

    Attributes:
        data: phantoms, or which radiographs.
        cases: how many, of which part.
        trainings: how many networks stand behind a figure, as by seeds or folds.
        spread: what ± and intervals are over.
    """

    data: str
    cases: str
    trainings: str
    spread: str


@dataclass(frozen=True)
class Table:
    """Figures in full, for programs, and which of them a person reads.

    Attributes:
        name: of its file.
        title: over it.
        values: a row a line.
        columns: what is shown, from left to right.
    """

    name: str
    title: str
    basis: Basis
    values: pd.DataFrame
    columns: Sequence[Column]

    @property
    def shown(self) -> pd.DataFrame:
        """Cells as texts, blank where there is no figure."""
        return pd.DataFrame({column.title: _cells(self.values, column) for column in self.columns})


@dataclass(frozen=True)
class Section:
    """A heading, what a paper says, tables, and figures: name -> what is to be seen."""

    heading: str
    text: str
    printed: Sequence[Printed]
    tables: Sequence[Table]
    figures: Mapping[str, str]

    @property
    def anchor(self) -> str:
        """Its name within the page."""
        return re.sub(r"\W+", "-", self.heading.lower()).strip("-")


@dataclass(frozen=True)
class NotRun:
    """What a page would tell if a command had been given."""

    heading: str
    beside: str
    command: str


def render_report(
    title: str,
    notice: str,
    sections: Sequence[Section],
    not_run: Sequence[NotRun],
    figures: Mapping[str, Image],
) -> str:
    """HTML of the page; all text is escaped, pictures are part of it.

    Args:
        notice: what a reader must know before any figure, such as that the data are phantoms.
        not_run: what stands at the end with its command.
        figures: by name; those of a section that are not here are left out.
    """
    return render_page(
        "report.html.j2", title=title, notice=notice, sections=sections, not_run=not_run, figures=figures
    )


def render_page(template: str, **values: Any) -> str:
    """HTML of a template of this package, all text escaped; its filter ``data_url`` makes a picture part of it."""
    page: Any = _environment().get_template(template)
    return page.render(**values)


def _cells(values: pd.DataFrame, column: Column) -> list[str]:
    beside = [f"{column.key}_{name}" for name in ("sd", "low", "high")]
    parts = values.reindex(columns=[column.key, *beside]).itertuples(index=False)
    return [_cell(column.form, *part) for part in parts]


def _cell(form: str, value: Any, sd: Any, low: Any, high: Any) -> str:
    if pd.isna(value):
        return ""
    text = form.format(value)
    if not pd.isna(sd):
        text += f" ± {form.replace('+', '').format(sd)}"
    if not pd.isna(low):
        text += f" ({form.format(low)} to {form.format(high)})"
    return text


def _data_url(figure: Image) -> str:
    buffer = io.BytesIO()
    figure.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


@cache
def _environment() -> Environment:
    """Kept, since it keeps the templates that it has compiled."""
    environment = Environment(
        loader=PackageLoader("boneage_kedro.evaluation"), autoescape=True, trim_blocks=True
    )
    environment.filters["data_url"] = _data_url
    return environment
