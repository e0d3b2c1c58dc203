"""Node of `report`, with what is there and what is not."""

import json
from typing import Any

import pandas as pd
from PIL import Image

from boneage_kedro.evaluation.evidence.subjects import FIGURES, SUBJECTS, TABLES
from boneage_kedro.pipelines.report.nodes import write_report

CASES = pd.DataFrame({"id": list("abcd"), "sex": list("FMFM")})
SPLITS = CASES[["id"]].assign(split=["train", "train", "test", "test"])


def report(parameters: dict[str, Any], **found: Any) -> tuple[str, dict[str, str]]:
    inputs = [found.get(name) for name in (*TABLES, *FIGURES)]
    return write_report(parameters["report"], "phantoms", CASES, SPLITS, *inputs)


def test_of_a_run_that_has_only_prepared_data_the_rest_is_named_with_its_command(
    parameters: dict[str, Any],
) -> None:
    page, files = report(parameters)
    whole = json.loads(files["evidence.json"])
    assert [table["name"] for table in whole["tables"]] == ["cases_by_part"]
    assert len(whole["not_run"]) == len(SUBJECTS) - 1
    assert "kedro run --env=test --pipelines=finger_study" in page
    assert set(files) == {"evidence.json", "cases_by_part.csv", "report.html"}


def test_figures_stand_in_the_report_and_not_in_the_files_that_may_be_kept(
    parameters: dict[str, Any],
) -> None:
    empty = pd.DataFrame({"kind": [], "count": [], "examples": []})
    figure = Image.new("L", (20, 10))
    page, files = report(parameters, validation_report=empty, age_histogram=figure, contact_sheet=figure)
    assert page.count("data:image/png") == 2
    assert "data:image" not in files["report.html"]
    assert "findings" not in files["evidence.json"].split('"printed"')[0]
