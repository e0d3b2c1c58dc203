"""A headless Chromium before the annotation page, and the server behind it."""

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from boneage_kedro.annotation.server import create_app
from boneage_kedro.masks.queue import AnnotationQueue

FIT_MARGIN = 16  # around a fitted picture, on the screen


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser of this machine, or a skip with the reason."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on the path")
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0  # Chromium's sandbox refuses to run then
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"] if as_root else [])
        yield browser
        browser.close()


@contextmanager
def served(queue: AnnotationQueue) -> Iterator[str]:
    """The address of the page of a queue."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(create_app(queue), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


class Annotator:
    """A person at the page: places are (x, y) in pixels of the radiograph, which is shown as a whole."""

    def __init__(self, page: Page, address: str, shape: tuple[int, int]) -> None:
        self.page, self.address, self.shape = page, address, shape
        self.strangers: list[str] = []
        self.failures: list[str] = []
        page.on("request", lambda request: self.strangers.append(request.url))
        page.on("pageerror", lambda error: self.failures.append(str(error)))

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

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def button(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def sees(self, words: str, where: str = "#state") -> None:
        expect(self.page.locator(where)).to_contain_text(words)

    def check(self) -> None:
        """Nothing failed unseen, and nothing was asked of anybody but the server."""
        assert self.failures == []
        assert [url for url in self.strangers if not url.startswith((self.address, "blob:"))] == []
