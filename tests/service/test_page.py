"""The page as a person uses it, in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from starlette.types import ASGIApp

from ..browser import Visitor, chromium, served
from .conftest import LIMIT

LIGHTNESS = """(id) => {
  const canvas = document.getElementById(id);
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return [canvas.width, data.reduce((most, value, at) => (at % 4 ? most : Math.max(most, value)), 0)];
}"""
# what a browser does with a file that somebody lets fall on the page
DROP = """async (bytes) => {
  const moved = new DataTransfer();
  moved.items.add(new File([new Uint8Array(bytes)], "dropped.png"));
  document.getElementById("drop").dispatchEvent(new DragEvent("drop", { dataTransfer: moved, bubbles: true }));
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def file(tmp_path: Path, hand: bytes) -> Path:
    (tmp_path / "7.png").write_bytes(hand)
    return tmp_path / "7.png"


@pytest.fixture
def visitor(browser: Browser, app: ASGIApp) -> Iterator[Visitor]:
    with served(app) as address:
        page = browser.new_page(viewport={"width": 1200, "height": 800})
        visitor = Visitor(page, address)
        page.goto(address)
        expect(page.locator("#wanted")).to_have_text("Still needed: a radiograph and the sex.")
        yield visitor
        visitor.check()
        page.close()


def choose(visitor: Visitor, file: Path, sex: str) -> None:
    visitor.page.locator("#file").set_input_files(file)
    visitor.page.get_by_role("radio", name=sex).check(force=True)


def read(visitor: Visitor) -> None:
    """Ask for the reading, and wait for it or for the reason why there is none."""
    visitor.button("Read bone age")
    expect(visitor.page.locator("#reading:visible, #message:visible")).to_be_visible(timeout=60_000)


def test_a_radiograph_is_read_only_once_the_sex_is_chosen(visitor: Visitor, file: Path) -> None:
    page = visitor.page
    button = page.get_by_role("button", name="Read bone age")
    expect(button).to_be_disabled()
    page.locator("#file").set_input_files(file)
    visitor.sees("Still needed: the sex.", "#wanted")
    expect(button).to_be_disabled()
    page.get_by_role("radio", name="Boy").check(force=True)
    page.get_by_label("years", exact=True).fill("8")
    read(visitor)
    expect(page.locator("#bone-age")).to_contain_text("years")
    visitor.sees("90% interval", "#interval-name")
    visitor.sees("SD at 8 y 0 m", "#score")
    visitor.sees("boy", "#sex-read")
    visitor.sees("Research use only", "header")
    for canvas in ("picture", "map"):
        width, lightest = page.evaluate(LIGHTNESS, canvas)
        assert (width, lightest > 100) == (512, True)


def test_another_file_takes_the_reading_and_the_sex_of_the_last_away(
    visitor: Visitor, file: Path, hand: bytes
) -> None:
    page = visitor.page
    choose(visitor, file, "Girl")
    read(visitor)
    expect(page.locator("#score-row")).to_be_hidden()
    page.evaluate(DROP, list(hand))
    visitor.sees("dropped.png", "#name")
    expect(page.locator("#reading")).to_be_hidden()
    visitor.sees("Still needed: the sex.", "#wanted")
    page.get_by_role("radio", name="Boy").check(force=True)
    read(visitor)
    visitor.sees("boy", "#sex-read")
    visitor.sees("dropped", "#file-read")
    page.get_by_role("radio", name="Girl").check(force=True)
    expect(page.locator("#reading")).to_be_hidden()


def test_a_file_that_is_no_radiograph_is_told(visitor: Visitor, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("no picture")
    choose(visitor, tmp_path / "notes.png", "Boy")
    read(visitor)
    visitor.sees("no PNG, JPEG, TIFF or DICOM file", "#message")
    expect(visitor.page.locator("#reading")).to_be_hidden()


def test_a_file_that_is_too_large_is_told_before_it_is_sent(visitor: Visitor, tmp_path: Path) -> None:
    (tmp_path / "film.png").write_bytes(bytes(LIMIT + 1))
    choose(visitor, tmp_path / "film.png", "Boy")
    read(visitor)
    visitor.sees("The file is larger than", "#message")
    assert not [url for url in visitor.strangers if url.endswith("/assess")]


def test_the_page_fits_a_phone(visitor: Visitor, file: Path) -> None:
    page = visitor.page
    page.set_viewport_size({"width": 375, "height": 700})
    choose(visitor, file, "Girl")
    read(visitor)
    assert page.evaluate("document.documentElement.scrollWidth") == 375
