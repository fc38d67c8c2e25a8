"""A browser on the running app, and pages that fail their test when anything goes wrong in them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.browser.tour import FLAGS

OpenPage = Callable[..., Page]


@pytest.fixture(scope="package")  # Playwright keeps an event loop running, which later suites must not meet
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield chromium
        chromium.close()


class Faults(list[str]):
    """What went wrong in a page: uncaught errors, errors on the console, requests to anywhere but the app."""

    def __init__(self, *origins: str) -> None:
        super().__init__()
        self.origins = origins

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.append(f"uncaught: {error}"))
        page.on("console", self.hear)
        page.on("request", lambda request: self.check(request.url))

    def hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.append(f"console: {message.text} {message.location}")

    def check(self, url: str) -> None:
        parts = urlsplit(url)
        if (
            parts.scheme not in ("data", "blob", "about")
            and f"{parts.scheme}://{parts.netloc}" not in self.origins
        ):
            self.append(f"request to another origin: {url}")


@pytest.fixture
def open_page(browser: Browser, app_url: str) -> Iterator[OpenPage]:
    """Opens pages in fresh contexts; `origins` are allowed beside the app's own."""
    faults: list[Faults] = []
    contexts = []

    def open_one(path: str | None = None, origins: tuple[str, ...] = (), **options: Any) -> Page:
        context = browser.new_context(
            **{"base_url": app_url, "viewport": {"width": 1280, "height": 900}, "locale": "en", **options},
            permissions=["clipboard-read", "clipboard-write"],
        )
        contexts.append(context)
        found = Faults(app_url, *origins)
        faults.append(found)
        page = context.new_page()
        found.watch(page)
        if path is not None:
            page.goto(path)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not [fault for found in faults for fault in found]


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    return open_page()
