"""The page as a person uses it, in a real browser; what counts is the pair on the disk afterwards."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from boneage_kedro.imaging.contrast.tone import ToneSettings, apply_tone, measure_hand
from boneage_kedro.tone.pairs import PairFolder
from boneage_kedro.tone.pictures import PictureFolder
from boneage_kedro.tone.server import create_app

from ..browser import Visitor, chromium, served

PREVIEW = """() => {
  const canvas = document.getElementById("picture");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return { shape: [canvas.height, canvas.width, 4], data: Array.from(data) };
}"""

# the gray level at which the bright line of the histogram is highest
PEAK = """() => {
  const { width, height } = document.getElementById("histogram");
  const { data } = document.getElementById("histogram").getContext("2d").getImageData(0, 0, width, height);
  let highest = 0;
  while (data[4 * highest + 1] < 150) highest++;
  return 2 + (254 * (highest % width)) / width;
}"""


# the first picture is there, or the page says why there is none
STARTED = "#state:text-matches('saved', 'i'), body:has(#sheet:empty) #message:not([hidden])"


class Assistant(Visitor):
    """A person who sets the tone of hands."""

    def __init__(self, page: Page, address: str, pairs: PairFolder) -> None:
        super().__init__(page, address)
        self.pairs = pairs

    def open(self) -> "Assistant":
        self.page.goto(self.address)
        expect(self.page.locator(STARTED)).to_be_visible()
        return self

    def slide(self, **settings: int) -> None:
        for name, value in settings.items():
            self.page.get_by_role("slider", name=name.capitalize()).fill(str(value))

    def settings(self) -> dict[str, int]:
        names = ("brightness", "contrast", "sharpness")
        return {name: int(self.page.locator(f"#{name}").input_value()) for name in names}

    def save(self) -> None:
        self.press("s")
        expect(self.page.locator("#state")).to_have_text("Saved")

    def preview(self) -> np.ndarray:
        """The gray levels on the canvas, once it was drawn."""
        self.page.evaluate(
            "() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))"
        )
        shown = self.page.evaluate(PREVIEW)
        pixels = np.array(shown["data"], np.uint8).reshape(shown["shape"])
        assert (pixels[..., :3] == pixels[..., :1]).all()
        return pixels[..., 0]

    def gold(self, key: str) -> np.ndarray:
        image = cv2.imread(str(self.pairs.file("gold", key)), cv2.IMREAD_UNCHANGED)
        assert image is not None
        return image

    def thumbnail(self, key: str) -> "Thumbnail":
        return Thumbnail(self.page, key)


class Thumbnail:
    def __init__(self, page: Page, key: str) -> None:
        self.button = page.locator("#sheet button").filter(has_text=key)
        self.box = page.get_by_role("checkbox", name=f"Select {key}")


Sit = Callable[..., Assistant]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:  # for this module only, see tests/annotation/test_page.py
        yield started


@pytest.fixture
def sit(browser: Browser, folder: Path, pairs: PairFolder) -> Iterator[Sit]:
    """Serve the sheet and sit down before it; at the end nothing may have gone wrong in the page."""
    seated: list[Assistant] = []

    def start(width: int = 1280, height: int = 800) -> Assistant:
        address = at_end.enter_context(served(create_app(PictureFolder(folder), pairs)))
        context = browser.new_context(viewport={"width": width, "height": height})
        at_end.callback(context.close)
        seated.append(Assistant(context.new_page(), address, pairs))
        return seated[-1].open()

    with ExitStack() as at_end:
        yield start
    for person in seated:
        person.check()


@pytest.mark.parametrize(
    ("brightness", "contrast", "sharpness"),
    [(0, 0, 0), (12, 35, 40), (-30, -60, 100), (100, 100, 100), (-100, 100, 7), (1, -100, 0)],
)
def test_the_gold_is_what_was_seen(
    sit: Sit, hands: dict[str, np.ndarray], brightness: int, contrast: int, sharpness: int
) -> None:
    person = sit()
    person.slide(brightness=brightness, contrast=contrast, sharpness=sharpness)
    seen = person.preview()
    person.save()
    gold = person.gold("1377")
    assert np.abs(gold.astype(int) - seen).max() <= 1
    assert (gold != seen).mean() < 0.001
    assert np.array_equal(seen > 0, hands["1377"] > 0)
    settings = ToneSettings(brightness=brightness, contrast=contrast, sharpness=sharpness)
    assert np.array_equal(gold, apply_tone(hands["1377"], settings))


def test_a_pair_and_its_settings_are_on_the_disk(sit: Sit, hands: dict[str, np.ndarray]) -> None:
    person = sit()
    person.sees("3 of 3 open", "#progress")
    person.sees("Not saved yet")
    person.slide(contrast=20)
    person.sees("Unsaved changes")
    expect(person.thumbnail("1377").button).to_contain_text("changed")
    person.save()
    person.sees("2 of 3 open", "#progress")
    expect(person.thumbnail("1377").button).to_contain_text("done")
    written = cv2.imread(str(person.pairs.file("input", "1377")), cv2.IMREAD_UNCHANGED)
    assert written is not None
    assert np.array_equal(written, hands["1377"])
    record = json.loads(person.pairs.file("settings", "1377").read_text("utf-8"))
    assert record["settings"] == {"brightness": 0, "contrast": 20, "sharpness": 0}


def test_16_bits_are_seen_as_they_are_saved(sit: Sit, folder: Path, hands: dict[str, np.ndarray]) -> None:
    cv2.imwrite(str(folder / "0.png"), hands["1377"].astype(np.uint16) * 13)
    person = sit()
    person.sees("0", "#case")
    person.slide(contrast=-10, sharpness=30)
    seen = person.preview()
    person.save()
    assert np.abs(person.gold("0").astype(int) - seen).max() <= 1


def test_the_keys_alone_are_enough(sit: Sit) -> None:
    person = sit()
    person.press("1", "ArrowRight", "ArrowRight", "2", "ArrowLeft", "3", "ArrowRight", "n")
    person.sees("1379", "#case")
    person.sees("Not saved yet")
    person.press("c")
    assert person.settings() == {"brightness": 2, "contrast": -1, "sharpness": 1}
    person.press("r")
    assert person.settings() == {"brightness": 0, "contrast": 0, "sharpness": 0}
    person.press("j")
    person.sees("left hand 2", "#case")
    person.press("k", "k")
    person.sees("1377", "#case")
    person.press("?")
    expect(person.page.get_by_role("dialog", name="Keys")).to_contain_text("Match mean and contrast")
    person.press("n", "Escape")  # a dialog is in front: its keys are not the page's
    assert [key for key, _ in person.pairs.levels()] == ["1377"]


def test_before_and_after_are_compared_by_key(sit: Sit, hands: dict[str, np.ndarray]) -> None:
    person = sit()
    person.slide(brightness=20)
    after = person.preview()
    person.press("o")
    assert np.array_equal(person.preview(), hands["1377"])
    person.press("o")
    assert np.array_equal(person.preview(), after)
    person.page.keyboard.down("Space")
    assert np.array_equal(person.preview(), hands["1377"])
    person.page.keyboard.up("Space")
    assert np.array_equal(person.preview(), after)


def test_settings_go_to_all_that_are_selected(sit: Sit, hands: dict[str, np.ndarray]) -> None:
    person = sit()
    person.slide(brightness=7)
    person.thumbnail("1377").box.check()
    person.thumbnail("left hand 2").box.check()
    person.button("Save for the 2 selected")
    person.sees("1 of 3 open", "#progress")
    expected = apply_tone(hands["left hand 2"], ToneSettings(brightness=7, contrast=0, sharpness=0))
    assert np.array_equal(person.gold("left hand 2"), expected)
    assert not person.pairs.file("gold", "1379").exists()
    expect(person.thumbnail("1377").box).not_to_be_checked()


def test_pictures_are_selected_by_key_and_all_at_once(sit: Sit) -> None:
    person = sit()
    person.press("x")
    expect(person.thumbnail("1377").box).to_be_checked()
    person.button("None")
    expect(person.page.get_by_role("button", name="Save for the selected")).to_be_disabled()
    person.press("n")
    person.sees("1379", "#case")
    person.button("Select open")
    expect(person.thumbnail("1377").box).not_to_be_checked()
    expect(person.page.get_by_role("button", name="Save for the 2 selected")).to_be_enabled()


def test_a_sheet_of_which_nothing_can_be_used_says_why(sit: Sit, pairs: PairFolder, folder: Path) -> None:
    for key in ("1377", "1379", "left hand 2"):
        pairs.file("gold", key).parent.mkdir(parents=True, exist_ok=True)
        pairs.file("gold", key).write_bytes(b"of somebody else")
    person = sit()
    person.sees("gold/left hand 2.png: was not made by this page", "[role=alert]")
    person.press("n", "j", "x", "a", "g", "m", "1")


def test_the_page_asks_before_the_settings_of_others_are_replaced(sit: Sit) -> None:
    person = sit()
    person.slide(brightness=7)
    person.press("n")
    person.sees("1379", "#case")
    person.slide(brightness=-7)
    for answer in ("Leave them", "Replace"):
        person.thumbnail("1377").box.check()
        person.thumbnail("1379").box.check()
        person.press("g")
        dialog = person.page.get_by_role("dialog")
        expect(dialog).to_contain_text("1 of the 2 selected already have settings of their own")
        dialog.get_by_role("button", name=answer).click()
        kept = json.loads(person.pairs.file("settings", "1377").read_text("utf-8"))["settings"]["brightness"]
        assert kept == 7 or answer == "Replace"
    person.sees("1 of 3 open", "#progress")
    assert (
        json.loads(person.pairs.file("settings", "1377").read_text("utf-8"))["settings"]["brightness"] == -7
    )


def test_a_hand_is_matched_to_the_average_of_the_saved(sit: Sit, hands: dict[str, np.ndarray]) -> None:
    person = sit()
    person.slide(brightness=-10, contrast=-20)
    person.save()
    goal = measure_hand(person.gold("1377"))
    person.press("j")
    person.sees("Not saved yet")
    assert measure_hand(hands["1379"]) != pytest.approx(goal, abs=8)
    person.press("m")
    reached = measure_hand(person.preview())
    assert reached == pytest.approx(goal, abs=2)


def test_mean_and_contrast_stand_beside_those_of_the_saved(sit: Sit, hands: dict[str, np.ndarray]) -> None:
    person = sit()
    person.slide(brightness=-10)
    person.save()
    person.press("j")
    person.sees("Not saved yet")
    saved, before = measure_hand(person.gold("1377")), measure_hand(hands["1379"])
    rows = person.page.locator("#levels tr")
    expect(person.page.locator("#gold-count")).to_have_text("Saved (1)")
    for row, name in enumerate(("mean", "contrast")):
        own = f"{getattr(before, name):.0f}"
        cells = rows.nth(row).locator("td")
        expect(cells).to_have_text([own, own, f"{getattr(saved, name):.0f} ± 0.0"])
    for row, level in ((2, 1), (3, 255)):
        part = (hands["1379"][hands["1379"] > 0] == level).mean()
        expect(rows.nth(row).locator("td").first).to_have_text(f"{100 * part:.1f} %")


def test_a_hand_that_loses_its_gray_levels_is_marked(sit: Sit) -> None:
    person = sit()
    white = person.page.locator("#levels tr").nth(3).locator("td").nth(1)
    expect(white).not_to_have_class("much")
    person.slide(brightness=60)
    expect(white).to_have_class("much")


def test_a_picture_is_shown_pixel_by_pixel(sit: Sit, folder: Path) -> None:
    cv2.imwrite(str(folder / "1378.png"), np.full((40, 50), 90, np.uint8))
    person = sit()
    picture = person.page.locator("#picture")
    person.press("f")
    expect(picture).to_have_css("width", "156px")
    person.press("j")
    expect(picture).to_have_css("width", "50px")
    person.press("f")
    assert picture.bounding_box() == person.page.locator("#stage").bounding_box()


def test_the_histogram_follows_the_brightness(sit: Sit, folder: Path) -> None:
    cv2.imwrite(str(folder / "0.png"), np.full((40, 50), 100, np.uint8))
    person = sit()
    person.preview()
    assert person.page.evaluate(PEAK) == pytest.approx(100, abs=4)
    person.slide(brightness=40)
    person.preview()
    assert person.page.evaluate(PEAK) == pytest.approx(202, abs=4)


def test_what_is_set_but_not_saved_is_kept_while_other_pictures_are_looked_at(sit: Sit) -> None:
    person = sit()
    person.slide(contrast=33)
    person.thumbnail("1379").button.click()
    person.sees("Not saved yet")
    assert person.settings()["contrast"] == 0
    person.thumbnail("1377").button.click()
    person.sees("Unsaved changes")
    assert person.settings()["contrast"] == 33
    with person.page.expect_event("dialog") as asked:
        person.page.close(run_before_unload=True)
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    person.save()


def test_work_is_continued_where_it_ended(sit: Sit) -> None:
    first = sit()
    first.slide(contrast=33, sharpness=5)
    first.press("n")
    first.sees("1379", "#case")
    second = sit()
    second.sees("1379", "#case")
    second.sees("2 of 3 open", "#progress")
    second.thumbnail("1377").button.click()
    second.sees("Saved")
    assert second.settings() == {"brightness": 0, "contrast": 33, "sharpness": 5}
    second.slide(contrast=34)
    second.save()
    assert json.loads(second.pairs.file("settings", "1377").read_text("utf-8"))["settings"]["contrast"] == 34


def test_saving_goes_on_until_all_are_done(sit: Sit) -> None:
    person = sit()
    for key in ("1377", "1379", "left hand 2"):
        person.sees(key, "#case")
        person.sees("Not saved yet")
        person.press("n")
    person.sees("All pictures of the sheet have their gold", "#message")
    person.sees("0 of 3 open", "#progress")


def test_what_cannot_be_used_is_told_and_the_rest_goes_on(sit: Sit, folder: Path) -> None:
    (folder / "text.png").write_bytes(b"no picture")
    cv2.imwrite(str(folder / "colour.png"), np.full((20, 20, 3), 9, np.uint8))
    person = sit()
    person.sees("Left out:", "[role=alert]")
    person.sees("text.png: is not a PNG file", "[role=alert]")
    person.sees("colour.png: is in colour", "[role=alert]")
    person.save()


def test_a_server_that_is_gone_is_told_and_nothing_is_lost(sit: Sit) -> None:
    person = sit()
    person.slide(contrast=9)
    person.page.context.set_offline(True)
    person.press("s")
    person.sees("1377 is not saved. The server does not answer", "[role=alert]")
    person.sees("Unsaved changes")
    person.page.context.set_offline(False)
    person.save()
    expect(person.page.locator("[role=alert]")).to_be_hidden()


def test_a_picture_that_has_gone_does_not_stop_the_others(sit: Sit, folder: Path) -> None:
    person = sit()
    (folder / "1379.png").unlink()
    person.press("j")
    person.sees("1379.png: [Errno 2] No such file", "[role=alert]")
    person.press("j")
    person.sees("left hand 2", "#case")
    person.sees("Not saved yet")
    person.save()


def test_one_of_the_selected_that_fails_does_not_stop_the_others(sit: Sit, folder: Path) -> None:
    person = sit()
    (folder / "1379.png").unlink()
    person.press("a", "g")
    person.sees("1379 is not saved. 1379.png: [Errno 2] No such file", "[role=alert]")
    person.sees("1 of 3 open", "#progress")
    assert [key for key, _ in person.pairs.levels()] == ["1377", "left hand 2"]


@pytest.mark.parametrize(("width", "height"), [(360, 740), (820, 600)])
def test_all_controls_are_within_a_narrow_window(sit: Sit, width: int, height: int) -> None:
    person = sit(width, height)
    controls = person.page.locator("header button, #panel button, #panel input, #stage, #view button").all()
    assert len(controls) > 12
    for control in controls:
        control.scroll_into_view_if_needed()
        box = control.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    for name in ("brightness", "sharpness", "picture"):  # seen together, without scrolling
        box = person.page.locator(f"#{name}").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= height
