"""The page as a person uses it, in a real browser; what counts is the mask in the queue afterwards."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from boneage_kedro.annotation.server import create_app
from boneage_kedro.evaluation.segmentation.scores import dice
from boneage_kedro.masks.drawn.queue import AnnotationQueue

from ..browser import chromium, served
from .annotator import Annotator

Open = Callable[..., Annotator]
TRIANGLE = [(40.0, 60.0), (200.0, 90.0), (120.0, 280.0)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with (
        chromium() as started
    ):  # for this module only: the event loop of Playwright gets in the way of others
        yield started


@pytest.fixture
def annotate(browser: Browser) -> Iterator[Open]:
    """Serve a queue and sit down before it; at the end nothing may have gone wrong in the page."""
    opened: list[Annotator] = []

    def start(queue: AnnotationQueue, width: int = 1280, height: int = 800, touch: bool = False) -> Annotator:
        address = at_end.enter_context(served(create_app(queue)))
        context = browser.new_context(viewport={"width": width, "height": height}, has_touch=touch)
        at_end.callback(context.close)
        opened.append(Annotator(context.new_page(), address, queue.shape(queue.ids[0])))
        return opened[-1].open()

    with ExitStack() as at_end:
        yield start
    for person in opened:
        person.check()


def stroke(shape: tuple[int, int], a: tuple[float, float], b: tuple[float, float], px: float) -> np.ndarray:
    """What a round brush of that diameter covers: pixels whose centre is within half of it of the line."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    along = np.subtract(b, a)
    part = ((x - a[0]) * along[0] + (y - a[1]) * along[1]) / max(1e-9, along @ along)
    part = part.clip(0, 1)
    return np.hypot(x - a[0] - part * along[0], y - a[1] - part * along[1]) <= px / 2


def filled(shape: tuple[int, int], points: list[tuple[float, float]]) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(np.array(points) * 256).astype(np.int32) - 128], 1, shift=8)
    return mask > 0


def overlap(mask: np.ndarray, expected: np.ndarray) -> float:
    return dice(mask > 0, expected)


def save(person: Annotator) -> None:
    person.press("s")
    person.sees("Saved")


def test_a_polygon_becomes_the_answer(annotate: Open, queue: AnnotationQueue) -> None:
    person = annotate(queue)
    person.button("Erase all")
    person.press("p")
    person.click(*TRIANGLE)
    person.press("Enter")
    person.sees("Unsaved changes")
    save(person)
    assert overlap(queue.answer("1377"), filled(queue.shape("1377"), TRIANGLE)) > 0.99
    person.sees("2 of 3 open", "#progress")


def test_a_click_on_the_first_corner_closes_the_polygon_and_corners_can_be_moved_before(
    annotate: Open, queue: AnnotationQueue
) -> None:
    person = annotate(queue)
    person.button("Erase all")
    person.press("p")
    person.click(*TRIANGLE[:2], (60.0, 200.0))
    person.drag((60.0, 200.0), TRIANGLE[2])
    person.click(TRIANGLE[0])
    save(person)
    assert overlap(queue.answer("1377"), filled(queue.shape("1377"), TRIANGLE)) > 0.98


def test_brush_strokes_are_drawn_erased_undone_and_redone(annotate: Open, queue: AnnotationQueue) -> None:
    person = annotate(queue)
    person.button("Erase all")
    person.drag((60, 80), (180, 240))
    person.press("e")
    person.drag((40, 160), (120, 170))
    person.press("a")
    person.drag((100, 60), (200, 60))
    person.press("Control+z", "Control+z", "Control+Shift+z")
    save(person)
    shape = queue.shape("1377")
    expected = stroke(shape, (60, 80), (180, 240), 24) & ~stroke(shape, (40, 160), (120, 170), 24)
    assert overlap(queue.answer("1377"), expected) > 0.99


def test_an_untouched_proposal_is_saved_to_the_pixel(annotate: Open, queue: AnnotationQueue) -> None:
    save(annotate(queue))
    assert np.array_equal(queue.answer("1377"), queue.proposal("1377"))


def test_zoomed_and_moved_the_brush_still_paints_where_it_is(annotate: Open, queue: AnnotationQueue) -> None:
    person = annotate(queue)
    person.button("Erase all")
    centre = (125.0, 160.0)
    person.page.mouse.move(*person.place(*centre))
    person.page.mouse.wheel(0, -800)
    person.page.get_by_role("radio", name="Brush").click()  # which must not keep the Space bar for itself
    person.page.keyboard.down("Space")
    person.drag(centre, (205.0, 160.0))
    person.page.keyboard.up("Space")
    person.click((205.0, 160.0))
    save(person)
    ys, xs = np.nonzero(queue.answer("1377"))
    assert (xs.mean() + 0.5, ys.mean() + 0.5) == pytest.approx(centre, abs=0.6)
    assert xs.max() - xs.min() + 1 == pytest.approx(24, abs=1)
    assert ys.max() - ys.min() + 1 == pytest.approx(24, abs=1)


def test_an_empty_mask_is_refused_in_words_and_nothing_is_lost(
    annotate: Open, queue: AnnotationQueue
) -> None:
    person = annotate(queue)
    person.button("Erase all")
    person.button("Save and next")
    person.sees("Not saved. 1377.png: is empty", "[role=alert]")
    person.sees("1377", "#case")
    person.sees("Unsaved changes")
    assert queue.open_ids == queue.ids
    person.press("Control+z")
    save(person)
    expect(person.page.locator("[role=alert]")).to_be_hidden()
    assert np.array_equal(queue.answer("1377"), queue.proposal("1377"))


def test_a_server_that_is_gone_is_told_and_the_drawing_can_be_saved_later(
    annotate: Open, queue: AnnotationQueue
) -> None:
    person = annotate(queue)
    person.drag((20, 40), (20, 40))
    person.page.context.set_offline(True)
    person.press("s")
    person.sees("The server does not answer", "[role=alert]")
    person.sees("Unsaved changes")
    person.page.context.set_offline(False)
    save(person)
    assert queue.answer("1377")[40, 20] == 1


def test_a_page_that_cannot_be_filled_says_why(annotate: Open, queue: AnnotationQueue) -> None:
    person = annotate(queue)
    person.page.route("**/api/queue", lambda route: route.fulfill(status=500, body="Internal Server Error"))
    person.page.reload()
    person.sees("The server failed (500", "[role=alert]")


def test_keys_choose_and_tell_what_they_do(annotate: Open, queue: AnnotationQueue) -> None:
    person = annotate(queue)
    for key, name in (("p", "Polygon"), ("h", "Move"), ("b", "Brush"), ("e", "Erase"), ("x", "Add")):
        person.press(key)
        expect(person.page.get_by_role("radio", name=name)).to_be_checked()
    person.press("]")
    expect(person.page.get_by_role("slider", name="Size")).to_have_value("29")
    person.press("[", "[")
    expect(person.page.get_by_role("slider", name="Size")).to_have_value("20")
    person.press("o")
    expect(person.page.get_by_role("checkbox", name="Show the mask")).not_to_be_checked()
    person.press("?")
    expect(person.page.get_by_role("dialog", name="Keys")).to_contain_text("Close the polygon")
    person.press("n", "Escape")  # a dialog is in front: its keys are not the page's
    assert queue.open_ids == queue.ids


def test_corners_are_taken_back_one_by_one_and_an_open_polygon_is_not_saved(
    annotate: Open, queue: AnnotationQueue
) -> None:
    person = annotate(queue)
    person.press("p")
    person.click(*TRIANGLE)
    person.press("s")
    person.sees("The polygon is still open", "[role=alert]")
    person.press("Control+z", "Backspace")
    person.sees("Unsaved changes")
    person.press("Escape")
    person.sees("Proposal, not saved yet")
    person.click(TRIANGLE[0])
    person.press("Enter")  # without an area
    person.sees("Proposal, not saved yet")


def test_saving_goes_on_to_the_next_open_one_until_all_are_done(
    annotate: Open, queue: AnnotationQueue
) -> None:
    queue.save_answer("left hand 2", queue.proposal("1377"))
    person = annotate(queue)
    person.press("n")
    person.sees("1379", "#case")
    person.sees("Proposal, not saved yet")
    person.drag((60, 80), (180, 240))
    person.press("n")
    person.sees("All radiographs of the queue have a mask", "#message")
    person.sees("0 of 3 open", "#progress")
    assert queue.open_ids == []


def test_unsaved_changes_are_kept_given_up_or_saved_before_moving_on(
    annotate: Open, queue: AnnotationQueue
) -> None:
    person = annotate(queue)
    person.drag((20, 40), (20, 40))
    for leave in ("Escape", "Stay here", "Save"):
        person.press("PageDown")
        expect(person.page.get_by_role("dialog")).to_be_visible()
        person.sees("1377", "#case")
        if leave == "Escape":
            person.press(leave)
        else:
            person.page.get_by_role("dialog").get_by_role("button", name=leave).click()
    person.sees("left hand 2", "#case")
    assert queue.answer("1377")[40, 20] == 1
    person.sees("Proposal, not saved yet")
    person.drag((20, 80), (20, 80))
    person.press("PageUp")
    person.button("Discard")
    person.sees("1377", "#case")
    assert "left hand 2" in queue.open_ids


def test_the_tab_is_not_closed_over_unsaved_changes(annotate: Open, queue: AnnotationQueue) -> None:
    person = annotate(queue)
    person.drag((20, 40), (20, 40))
    person.sees("Unsaved changes")
    with person.page.expect_event("dialog") as asked:
        person.page.close(run_before_unload=True)
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    save(person)


def test_the_person_starts_over_from_the_proposal_and_can_undo_that(
    annotate: Open, queue: AnnotationQueue
) -> None:
    queue.save_answer("1377", stroke(queue.shape("1377"), (60, 80), (180, 240), 24).astype(np.uint8))
    answer = queue.answer("1377")
    person = annotate(queue)
    person.press("PageUp")
    person.sees("Saved")
    person.button("Start over")
    person.sees("Unsaved changes")
    save(person)
    assert np.array_equal(queue.answer("1377"), queue.proposal("1377"))
    person.press("Control+z")
    person.sees("Unsaved changes")
    save(person)
    assert np.array_equal(queue.answer("1377"), answer)


def test_an_answer_that_cannot_be_used_is_told(annotate: Open, queue: AnnotationQueue) -> None:
    (queue.folder / "answers").mkdir(exist_ok=True)
    (queue.folder / "answers" / "1377.png").write_bytes(b"no picture")
    person = annotate(queue)
    person.sees("1377.png: is not a PNG file", "[role=alert]")
    save(person)
    assert np.array_equal(queue.answer("1377"), queue.proposal("1377"))


def test_each_class_is_drawn_with_its_code(annotate: Open, forearm: AnnotationQueue) -> None:
    person = annotate(forearm)
    expect(person.page.get_by_role("radio", name="radius")).to_be_checked()
    person.drag((80, 200), (80, 300))
    person.press("2")
    expect(person.page.get_by_role("radio", name="ulna")).to_be_checked()
    person.drag((150, 200), (150, 300))
    save(person)
    answer, shape = forearm.answer("7"), forearm.shape("7")
    assert overlap(answer == 1, stroke(shape, (80, 200), (80, 300), 24)) > 0.99
    assert overlap(answer == 2, stroke(shape, (150, 200), (150, 300), 24)) > 0.99


def test_one_finger_draws_and_two_zoom(annotate: Open, queue: AnnotationQueue) -> None:
    person = annotate(queue, 400, 800, touch=True)
    person.button("Erase all")
    session = person.page.context.new_cdp_session(person.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        places = [dict(zip("xy", person.place(*point), strict=True)) for point in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    touch("touchStart", (60, 100))
    touch("touchMove", (160, 200))
    touch("touchEnd")
    touch("touchStart", (100, 160))
    touch("touchStart", (100, 160), (150, 160))
    touch("touchMove", (75, 160), (175, 160))
    touch("touchEnd")
    touch("touchStart", (175, 160))  # at twice the size that is (150, 160), 25 from the middle
    touch("touchEnd")
    save(person)
    shape = queue.shape("1377")
    expected = stroke(shape, (60, 100), (160, 200), 24) | stroke(shape, (150, 160), (150, 160), 24)
    assert overlap(queue.answer("1377"), expected) > 0.97  # fingers come in whole pixels of the screen


def test_after_a_pen_was_used_a_palm_does_not_draw(annotate: Open, queue: AnnotationQueue) -> None:
    person = annotate(queue, touch=True)
    person.button("Erase all")
    session = person.page.context.new_cdp_session(person.page)

    def pen(kind: str, at: tuple[float, float]) -> None:
        x, y = person.place(*at)
        event = {"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "pointerType": "pen"}
        session.send("Input.dispatchMouseEvent", event)

    def palm(kind: str, *points: tuple[float, float]) -> None:
        places = [dict(zip("xy", person.place(*point), strict=True)) for point in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    pen("mousePressed", (60, 100))
    pen("mouseMoved", (160, 200))
    pen("mouseReleased", (160, 200))
    palm("touchStart", (200, 250))
    palm("touchMove", (100, 250))
    palm("touchEnd")
    save(person)
    assert overlap(queue.answer("1377"), stroke(queue.shape("1377"), (60, 100), (160, 200), 24)) > 0.99


def test_the_display_is_adjusted_but_not_the_mask(annotate: Open, queue: AnnotationQueue) -> None:
    person = annotate(queue)
    picture = person.page.locator("#picture")
    person.page.get_by_role("slider", name="Brightness").fill("50")
    person.page.get_by_role("slider", name="Contrast").fill("-50")
    expect(picture).to_have_css("filter", "brightness(2) contrast(0.5)")
    person.button("Reset display")
    expect(picture).to_have_css("filter", "brightness(1) contrast(1)")
    person.sees("Proposal, not saved yet")


def test_all_controls_are_within_a_narrow_window(annotate: Open, queue: AnnotationQueue) -> None:
    person = annotate(queue, 400, 800)
    controls = person.page.locator("header button, #panel button:visible, #panel input:visible, #stage").all()
    assert len(controls) > 15
    for control in controls:
        control.scroll_into_view_if_needed()
        box = control.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 400
