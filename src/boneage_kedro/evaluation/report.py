"""A page of tables and figures as one HTML file that needs nothing else."""

import base64
import io
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader
from PIL.Image import Image


@dataclass(frozen=True)
class Section:
    """A heading, a sentence under it, tables and pictures."""

    heading: str
    text: str
    tables: list[pd.DataFrame]
    figures: list[Image]


def render_report(title: str, notice: str, sections: list[Section]) -> str:
    """HTML of the page; all text is escaped, pictures are part of it.

    Args:
        notice: what a reader must know before any figure, such as that the data are phantoms.
    """
    return render_page("report.html.j2", title=title, notice=notice, sections=sections)


def render_page(template: str, **values: Any) -> str:
    """HTML of a template of this package, all text escaped; its filter ``data_url`` makes a picture part of it."""
    page: Any = _environment().get_template(template)
    return page.render(**values)


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
