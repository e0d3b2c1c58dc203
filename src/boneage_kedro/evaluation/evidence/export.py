"""The evidence as files for programs: each table as CSV, and all as one JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from boneage_kedro.evaluation.evidence.papers import all_printed
from boneage_kedro.evaluation.report import NotRun, Section


def evidence_files(
    title: str, notice: str, source: str, sections: Sequence[Section], not_run: Sequence[NotRun]
) -> dict[str, str]:
    """``evidence.json`` with all there is, and a CSV a table.

    In the JSON every table has its ``basis``; a figure that is not there is null. What the papers print stands under
    ``printed``, by the names of ``papers.yml``.
    """
    tables = [(section, table) for section in sections for table in section.tables]
    whole = {
        "title": title,
        "notice": notice,
        "data": source,
        "tables": [
            {
                "section": section.heading,
                "name": table.name,
                "title": table.title,
                "basis": asdict(table.basis),
                "rows": _rows(table.values),
            }
            for section, table in tables
        ],
        "not_run": [asdict(part) for part in not_run],
        "printed": {key: {**asdict(one), "values": _rows(one.values)} for key, one in all_printed().items()},
    }
    csv = {f"{table.name}.csv": table.values.to_csv(index=False) for _, table in tables}
    return {"evidence.json": json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n", **csv}


def _rows(values: pd.DataFrame) -> list[dict[str, Any]]:
    plain: list[dict[str, Any]] = json.loads(values.to_json(orient="records", double_precision=15))
    return plain
