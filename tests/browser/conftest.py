"""A browser on the running app, and pages that fail their test when anything goes wrong in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route, expect, sync_playwright

from components.javascript import FOLDER
from tests.browser.tour import CHROMIUM, FLAGS, TASK_PAGES, WATCH, Visit

OpenPage = Callable[..., Page]
# What is to happen at once says so itself; everything else may take its time on a loaded host.
expect.set_options(timeout=15_000)
VISITOR: Any = {"locale": "en", "permissions": ["clipboard-read", "clipboard-write"]}


@pytest.fixture(scope="package")  # Playwright keeps an event loop running, which later suites must not meet
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
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


@pytest.fixture(scope="package")
def context(browser: Browser, app_url: str) -> Iterator[BrowserContext]:
    """What tests share: a visitor who comes back has the app's scripts, and loads a page in half the time."""
    context = browser.new_context(base_url=app_url, **VISITOR)
    yield context
    context.close()


@pytest.fixture(scope="package")
def others() -> Iterator[dict[str, list[BrowserContext]]]:
    """By address: who else has been there, and has nothing kept of it but the scripts."""
    found: dict[str, list[BrowserContext]] = defaultdict(list)
    yield found
    for contexts in found.values():
        for context in contexts:
            context.close()


@pytest.fixture(scope="package")
def visitor(browser: Browser, app_url: str) -> Iterator[BrowserContext]:
    """Somebody whose pages stay open between tests."""
    with browser.new_context(base_url=app_url, **VISITOR) as context:
        yield context


@pytest.fixture(scope="module", params=TASK_PAGES, ids=lambda spec: spec.slug)
def visit(request: pytest.FixtureRequest, visitor: BrowserContext, app_url: str) -> Iterator[Visit]:
    """A page that is loaded once: the tests that take it are one visit, in the order in which they stand."""
    page = visitor.new_page()
    faults = Faults(app_url)
    faults.watch(page)
    page.add_init_script(WATCH)
    yield Visit(page, request.param).open()
    page.close()
    assert not faults


@pytest.fixture
def open_page(
    browser: Browser, context: BrowserContext, others: dict[str, list[BrowserContext]], app_url: str
) -> Iterator[OpenPage]:
    """Opens pages; `origins` are allowed beside the app's own. What goes wrong in one fails the test, unless
    it is not `watched`, as where its server is taken away.

    Somebody `elsewhere`, or at another `base_url`, has nothing in common with the test's other pages;
    somebody `new` has not even the app's scripts.
    """
    faults: list[Faults] = []
    lent: list[tuple[str, BrowserContext]] = []
    fresh: list[BrowserContext] = []

    def open_one(
        path: str | None = None,
        *,
        origins: tuple[str, ...] = (),
        elsewhere: bool = False,
        new: bool = False,
        base_url: str | None = None,
        watched: bool = True,
        width: int = 1280,
        colours: Literal["light", "dark"] = "light",
    ) -> Page:
        home = context
        address = base_url or app_url
        if new:
            home = browser.new_context(base_url=address, **VISITOR)
            fresh.append(home)
        elif elsewhere or base_url:
            free = others[address]
            home = free.pop() if free else browser.new_context(base_url=address, **VISITOR)
            lent.append((address, home))
        page = home.new_page()
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=colours)
        found = Faults(app_url, *origins)
        if watched:
            faults.append(found)
            found.watch(page)
        if path is not None:
            page.goto(path)
        return page

    yield open_one
    leave(context, app_url)
    for address, other in lent:
        leave(other, address)
        others[address].append(other)
    for stranger in fresh:
        stranger.close()
    assert not [fault for found in faults for fault in found]


def leave(context: BrowserContext, address: str) -> None:
    """Closes a visitor's pages, and forgets what they kept."""
    for page in context.pages:
        if page.url.startswith(address.rstrip("/")):
            page.evaluate("localStorage.clear()")
        page.close()


@pytest.fixture
def module_page(browser: Browser) -> Iterator[Page]:
    """An empty page without the app, in which `import("./name.js")` gives one of the app's modules."""

    def serve(route: Route) -> None:
        name = urlsplit(route.request.url).path[1:]
        if name:
            route.fulfill(path=FOLDER / name, content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html>", content_type="text/html")

    page = browser.new_page()
    faults = Faults("http://modules.test")
    faults.watch(page)
    page.route("http://modules.test/**", serve)
    page.goto("http://modules.test/")
    yield page
    page.close()
    assert not faults


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    return open_page()
