"""The page of tables and figures: what it says, and that it fits a desk and a phone."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from boneage_kedro.evaluation.evidence.papers import printed
from boneage_kedro.evaluation.report import Basis, Column, NotRun, Section, Table, render_report
from tests.browser import chromium

BASIS = Basis("phantoms", "96 of the test part", "3 seeds", "none")
WIDE = Table(
    "wide",
    "A wide table",
    BASIS,
    pd.DataFrame(
        [[f"cell {number} of many" for number in range(30)]] * 3, columns=[f"c{i}" for i in range(30)]
    ),
    [Column(f"c{i}", f"column {i}") for i in range(30)],
)
FIGURE = Image.new("RGB", (1500, 300), "gray")


def page(*sections: Section, not_run: tuple[NotRun, ...] = ()) -> str:
    return render_report("Title", "Notice <&>", sections, not_run, {"bars": FIGURE})


def section(**changes: object) -> Section:
    parts = dict(heading="Ages & sexes", text="", printed=[], tables=[WIDE], figures={"bars": "Bars: errors"})
    return Section(**parts | changes)  # type: ignore[arg-type]


class Tags(HTMLParser):
    """Counts tags and checks that they close."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.seen.append(tag)
        if tag not in {"meta", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_escapes_text() -> None:
    named = pd.DataFrame({"name": ["<script>alert(1)</script>"]})
    table = Table("named", "T", BASIS, named, [Column("name", "name")])
    text = page(section(tables=[table]))
    tags = Tags()
    tags.feed(text)
    assert not tags.open
    assert tags.seen.count("img") == 1
    assert "data:image/png;base64," in text
    assert "script" not in tags.seen
    assert "Notice &lt;&amp;&gt;" in text


def test_spread_and_interval_stand_beside_their_value() -> None:
    values = pd.DataFrame(
        {
            "mae": [8.04, np.nan, 9.0],
            "mae_sd": [0.31, 0.2, np.nan],
            "mae_low": [7.1, 1, np.nan],
            "mae_high": [9.06, 2, np.nan],
            "bias": [-1.0, 2.0, np.nan],
            "bias_sd": [0.5, np.nan, np.nan],
            "share": [0.25, 1, 0],
        }
    )
    columns = [
        Column("mae", "MAE", "{:.1f}"),
        Column("bias", "bias", "{:+.1f}"),
        Column("share", "held", "{:.0%}"),
    ]
    shown = Table("t", "T", BASIS, values, columns).shown
    assert shown.to_dict("list") == {
        "MAE": ["8.0 ± 0.3 (7.1 to 9.1)", "", "9.0"],
        "bias": ["-1.0 ± 0.5", "+2.0", ""],
        "held": ["25%", "100%", "0%"],
    }


def test_every_table_says_what_it_rests_on_and_every_paper_what_to_mind() -> None:
    html = page(section(printed=[printed("strategies")]))
    assert "phantoms</span> Cases: 96 of the test part. Trainings: 3 seeds. Spread: none." in html
    assert "<b>Paper 001, figures 11 and 12, section 3.4.</b>" in html
    assert printed("strategies").caveat.split(".")[0] in html
    assert "Notice &lt;&amp;&gt;" in html
    assert "Ages &amp; sexes" in html


def test_a_figure_that_is_not_there_is_left_out_and_those_that_are_have_words() -> None:
    html = page(section(figures={"bars": "Bars: errors", "curves": "Curves: losses"}))
    assert html.count("data:image/png;base64,") == 1
    assert 'width="1500" height="300" alt="Bars: errors"' in html
    assert "Curves: losses" not in html


def test_what_was_not_run_stands_with_its_command() -> None:
    html = page(
        section(tables=[]), not_run=(NotRun("BoNet", "Paper 003, abstract", "kedro run --pipelines=bonet"),)
    )
    assert "There was nothing to measure it by." in html
    assert "<b>BoNet</b> (Paper 003, abstract): <code>kedro run --pipelines=bonet</code>" in html
    assert "not been run" not in page(section())


def test_the_page_needs_nothing_else() -> None:
    html = page(section(printed=[printed("methods")]))
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", html)
    assert "<script" not in html


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_hangs_over_the_side_and_tables_scroll_in_their_box(width: int, tmp_path: Path) -> None:
    parts = [
        section(printed=[printed(key) for key in ("methods", "self_training")]),
        section(heading="B" * 90),
    ]
    command = "kedro run --env=fingers --pipelines=fabricate,data_prep,finger_study"
    (tmp_path / "page.html").write_text(page(*parts, not_run=(NotRun("Self-training", "", command),)))
    with chromium() as browser:
        tab = browser.new_page(viewport={"width": width, "height": 800})
        tab.goto(f"file://{tmp_path}/page.html")
        assert tab.evaluate("document.documentElement.scrollWidth") == width
        box, whole = tab.evaluate("(b => [b.clientWidth, b.scrollWidth])(document.querySelector('.scroll'))")
        assert box < width < whole
        picture = tab.locator("img").first.bounding_box()
        assert picture is not None
        assert picture["width"] <= box
        assert picture["height"] == pytest.approx(picture["width"] / 5, abs=1)  # its shape is kept
