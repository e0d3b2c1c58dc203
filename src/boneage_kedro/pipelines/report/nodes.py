"""Nodes of `report`."""

from typing import Any

import pandas as pd
from PIL.Image import Image

from boneage_kedro.evaluation.evidence.cohort import PARTS, count_parts
from boneage_kedro.evaluation.evidence.export import evidence_files
from boneage_kedro.evaluation.evidence.subject import name_subject, tell_subject
from boneage_kedro.evaluation.evidence.subjects import FIGURES, SUBJECTS, TABLES
from boneage_kedro.evaluation.report import render_report
from boneage_kedro.pipelines.report.params import Params


def write_report(
    params: Params, source: str, cases: pd.DataFrame, splits: pd.DataFrame, *found: Any
) -> tuple[str, dict[str, str]]:
    """Set what runs have shown beside what the papers print.

    Args:
        source: where the data come from; every table says it.
        found: `TABLES` and then `FIGURES`, None where a pipeline was not run.

    Returns:
        a page of HTML that needs no other file; and by file name the same tables as CSV and JSON, with the page as
        ``report.html`` but for all its figures, since many are made of radiographs.
    """
    tables = _there(TABLES, found[: len(TABLES)]) | {PARTS: count_parts(cases, splits)}
    figures: dict[str, Image] = _there(FIGURES, found[len(TABLES) :])
    was_run = [subject for subject in SUBJECTS if set(subject.needs) <= set(tables)]
    sections = [tell_subject(subject, source, tables) for subject in was_run]
    not_run = [name_subject(subject, params["command"]) for subject in SUBJECTS if subject not in was_run]
    title, notice = params["title"], params["notice"]
    files = evidence_files(title, notice, source, sections, not_run)
    files["report.html"] = render_report(title, notice, sections, not_run, {})
    return render_report(title, notice, sections, not_run, figures), files


def _there(names: tuple[str, ...], found: tuple[Any, ...]) -> dict[str, Any]:
    return {name: one for name, one in zip(names, found, strict=True) if one is not None}
