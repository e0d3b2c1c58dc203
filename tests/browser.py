"""A headless Chromium, and the server of a page for it."""

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright
from starlette.types import ASGIApp


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
def served(page: ASGIApp) -> Iterator[str]:
    """The address of a page."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(page, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


class Visitor:
    """A person at a page, who notices what goes wrong unseen."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.strangers: list[str] = []
        self.failures: list[str] = []
        page.on("request", lambda request: self.strangers.append(request.url))
        page.on("pageerror", lambda error: self.failures.append(str(error)))

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
