"""The page in a browser: one sheet of A4 whatever stands on it, narrow on a phone, and nothing runs in it."""

import dataclasses
import math
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.evaluation.clinical.case_result import CaseResult
from boneage_kedro.evaluation.clinical.overlay import as_png
from boneage_kedro.evaluation.clinical.patient_report import render_patient_report
from boneage_kedro.phantom import fabricate_hand
from tests.browser import chromium
from tests.case_results import FAILED, GIRL

NAN = math.nan
TODAY = date(2026, 3, 4)
EVIL = "<img src=x onerror=document.title='broken'>&\"'"


@pytest.fixture(scope="module")
def picture() -> bytes:
    hand = fabricate_hand(100, Sex.FEMALE, 3, 128).image
    return as_png(np.repeat(np.hstack([hand, hand])[..., None], 3, axis=2))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def test_all_that_a_reader_needs_is_on_the_page(picture: bytes) -> None:
    html = render_patient_report(GIRL, picture, "L", TODAY)
    for words in (
        "8 years 2 months",
        "97.5 months",
        "90% interval: <b>7 years 4 months to 8 years 11 months</b>",
        "-1.9",
        "-2.7 to -1.1",
        "10 years 0 months",
        "10 years 6 months",  # mean bone age 125.66 months
        "SD 11.7 months",
        "8 years 1 month to 11 years 11 months",  # 120 -+ 23.46
        "Normal: the bone age is within 2 SD of the chronological age (-1.9 SD).",
        "borderline: the SD score lies between -2.7 and -1.1",
        "left hand",
        "Greulich and Pyle",
        "For research use only",
        "Model run run7",
        "2026-03-04",
        "data:image/png;base64,",
    ):
        assert words in html, words


def test_a_case_without_an_age_shows_the_reason_and_no_number() -> None:
    html = render_patient_report(FAILED, None, None, TODAY)
    assert "Not read" in html
    assert "h1.png: is empty" in html
    assert "Unknown: there is no bone age" in html
    assert "nan" not in html
    assert "<svg" not in html
    assert "<img" not in html


@pytest.mark.parametrize("interval", [(NAN, NAN), (-math.inf, math.inf)])
def test_a_page_without_a_finite_interval_still_comes(interval: tuple[float, float]) -> None:
    lower, upper = interval
    html = render_patient_report(
        dataclasses.replace(GIRL, lower_months=lower, upper_months=upper), None, "R", TODAY
    )
    assert "nan" not in html
    assert "right hand" in html


def test_nothing_that_the_input_holds_runs(picture: bytes, browser: Browser, tmp_path: Path) -> None:
    evil = dataclasses.replace(
        GIRL, id=EVIL, warnings=(EVIL, "</style><script>1</script>"), model_run_id=EVIL
    )
    html = render_patient_report(evil, picture, "L", TODAY)
    assert EVIL not in html
    assert "<script" not in html
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "page.html").as_uri())
    assert page.locator("img").count() == 1
    assert page.locator("dd").first.inner_text() == EVIL
    assert page.title() == f"Bone age report {EVIL}"
    assert all(url.startswith(("file:", "data:")) for url in asked)
    page.close()


@pytest.mark.parametrize(
    "result",
    [
        GIRL,
        FAILED,
        dataclasses.replace(GIRL, chronological_age_months=NAN, status="indeterminate"),
        dataclasses.replace(GIRL, warnings=tuple(f"warning {i}" for i in range(99)), id="x" * 250),
        dataclasses.replace(GIRL, warnings=("long " * 2000,)),
    ],
)
def test_it_is_one_sheet_of_a4_and_fits_a_phone(
    result: CaseResult, picture: bytes, browser: Browser, tmp_path: Path
) -> None:
    shown = None if result.status == "failed" else picture
    (tmp_path / "page.html").write_text(render_patient_report(result, shown, "L", TODAY), encoding="utf-8")
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto((tmp_path / "page.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 688, "height": 1032})  # A4 less its margins at 96 dots an inch
    foot, sheet = (page.locator(which).bounding_box() for which in ("footer", "main"))
    assert foot is not None
    assert sheet is not None
    assert foot["y"] + foot["height"] <= sheet["y"] + sheet["height"]  # nothing is cut off
    pdf = page.pdf(prefer_css_page_size=True)
    assert pdf.count(b"/Type /Page") - pdf.count(b"/Type /Pages") == 1
    page.close()
