"""A person before the annotation page."""

from typing import Any

from playwright.sync_api import Page, expect

from ..browser import Visitor

FIT_MARGIN = 16  # around a fitted picture, on the screen


class Annotator(Visitor):
    """A person at the page: places are (x, y) in pixels of the radiograph, which is shown as a whole."""

    def __init__(self, page: Page, address: str, shape: tuple[int, int]) -> None:
        super().__init__(page, address)
        self.shape = shape

    def open(self) -> "Annotator":
        self.page.goto(self.address)
        expect(self.page.locator("#state")).to_have_text("Proposal, not saved yet")
        return self

    def place(self, x: float, y: float) -> tuple[float, float]:
        box = self.page.locator("#stage").bounding_box()
        assert box is not None
        rows, columns = self.shape
        scale = min((box["width"] - 2 * FIT_MARGIN) / columns, (box["height"] - 2 * FIT_MARGIN) / rows)
        return (
            box["x"] + box["width"] / 2 + scale * (x - columns / 2),
            box["y"] + box["height"] / 2 + scale * (y - rows / 2),
        )

    def click(self, *points: tuple[float, float]) -> None:
        for point in points:
            self.page.mouse.click(*self.place(*point))

    def drag(self, start: tuple[float, float], end: tuple[float, float], **button: Any) -> None:
        self.page.mouse.move(*self.place(*start))
        self.page.mouse.down(**button)
        self.page.mouse.move(*self.place(*end), steps=6)
        self.page.mouse.up(**button)
