"""A browser on the running app, and pages that fail their test when anything goes wrong in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    Route,
    expect,
    sync_playwright,
)

from components.javascript import FOLDER
from tests.browser.tour import CHROMIUM, FLAGS, TASK_PAGES, WATCH, Visit

OpenPage = Callable[..., Page]
# What is to happen at once says so itself; everything else may take its time on a loaded host.
expect.set_options(timeout=60_000)
VISITOR: Any = {"locale": "en", "permissions": ["clipboard-read", "clipboard-write"]}
# To draw the animations that only say "wait" takes a fifth of a processor, for as long as a model works.
STILL: Any = {"reduced_motion": "reduce"}


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
        page.on("pageerror", self.catch)
        page.on("console", self.hear)
        page.on("request", self.check)

    def unwatch(self, page: Page) -> None:
        page.remove_listener("pageerror", self.catch)
        page.remove_listener("console", self.hear)
        page.remove_listener("request", self.check)

    def catch(self, error: Error) -> None:
        self.append(f"uncaught: {error}")

    def hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.append(f"console: {message.text} {message.location}")

    def check(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if (
            parts.scheme not in ("data", "blob", "about")
            and f"{parts.scheme}://{parts.netloc}" not in self.origins
        ):
            self.append(f"request to another origin: {request.url}")


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
def tabs() -> dict[BrowserContext, list[Page]]:
    """By visitor: tabs that a test has left empty. To open one costs a third of a page's load."""
    return defaultdict(list)


@pytest.fixture(scope="package")
def visitor(browser: Browser, app_url: str) -> Iterator[BrowserContext]:
    """Somebody whose pages stay open between tests."""
    with browser.new_context(base_url=app_url, **VISITOR, **STILL) as context:
        yield context


@pytest.fixture(scope="package")
def visits(visitor: BrowserContext) -> Page:
    """The tab in which this visitor goes from one task's page to the next."""
    page = visitor.new_page()
    page.add_init_script(WATCH)
    return page


@pytest.fixture(scope="module", params=TASK_PAGES, ids=lambda spec: spec.slug)
def unopened(request: pytest.FixtureRequest, visits: Page, app_url: str) -> Iterator[Visit]:
    """A task's page, for tests that open it by a link of their own."""
    faults = Faults(app_url)
    faults.watch(visits)
    yield Visit(visits, request.param)
    faults.unwatch(visits)
    empty(visits, app_url)
    assert not faults


@pytest.fixture(scope="module")
def visit(unopened: Visit) -> Visit:
    """A page that is loaded once: the tests that take it are one visit, in the order in which they stand."""
    return unopened.open()


@pytest.fixture(scope="module")
def keep_open(visitor: BrowserContext, app_url: str) -> Iterator[Callable[[str], Page]]:
    """Opens a page that stays for a module's tests, which use it one after the other."""
    opened: list[Page] = []
    faults = Faults(app_url)

    def open_one(path: str) -> Page:
        page = visitor.new_page()
        faults.watch(page)
        page.goto(path)
        opened.append(page)
        return page

    yield open_one
    for page in opened:
        faults.unwatch(page)
        empty(page, app_url)
        page.close()
    assert not faults


@pytest.fixture
def open_page(
    browser: Browser,
    context: BrowserContext,
    others: dict[str, list[BrowserContext]],
    tabs: dict[BrowserContext, list[Page]],
    app_url: str,
) -> Iterator[OpenPage]:
    """Opens pages; `origins` are allowed beside the app's own. What goes wrong in one fails the test, unless
    it is not `watched`, as where its server is taken away.

    Somebody `elsewhere`, or at another `base_url`, has nothing in common with the test's other pages;
    somebody `new` has not even the app's scripts. Where something is `moving`, animations are seen.
    """
    watched_tabs: list[tuple[Page, Faults]] = []
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
        moving: bool = False,
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
        page = tabs[home].pop() if tabs[home] else home.new_page()
        page.set_viewport_size({"width": width, "height": 900})
        motion: Any = {"reduced_motion": "no-preference"} if moving else STILL
        page.emulate_media(color_scheme=colours, **motion)
        if watched:
            found = Faults(app_url, *origins)
            found.watch(page)
            watched_tabs.append((page, found))
        if path is not None:
            page.goto(path)
        return page

    yield open_one
    for page, found in watched_tabs:
        found.unwatch(page)
    tabs[context] = leave(context, app_url)
    for address, other in lent:
        tabs[other] = leave(other, address)
        others[address].append(other)
    for context in fresh:
        context.close()
    assert not [fault for _, found in watched_tabs for fault in found]


def leave(context: BrowserContext, address: str) -> list[Page]:
    """Forgets what a visitor's pages kept; the first of them stays, empty, for who comes next."""
    for page in context.pages[1:]:
        page.close()
    for page in context.pages:
        empty(page, address)
    return context.pages


def empty(page: Page, address: str) -> None:
    """Leaves a tab as one that has just been opened."""
    if page.url.startswith(address.rstrip("/")):
        page.evaluate("localStorage.clear(); sessionStorage.clear()")
    page.unroute_all(behavior="ignoreErrors")  # a held request may still be under way
    page.set_default_timeout(30_000)  # Playwright's own
    page.mouse.move(-1, -1)
    page.goto("about:blank")


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
