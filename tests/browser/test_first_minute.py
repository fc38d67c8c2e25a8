"""What a visitor meets in the first minute: nothing jumps, nothing flashes, the keyboard gets everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from components.ui.page import PlainPage, TaskPage
from demos import PAGES, examples, home
from tests.browser.conftest import VISITOR, Faults, OpenPage
from tests.browser.test_all_pages import HOME
from tests.browser.tour import (
    TASK_PAGES,
    UP,
    WATCH,
    check_accessible,
    check_looks,
    check_still,
    switch_theme,
)

# Of every frame: the colour behind the page, and whether Gradio's own waiting screen is seen.
FRAMES = """
window.frames_seen = [];
const look = () => {
  if (document.body) {
    const app = document.querySelector("gradio-app");
    const splash = [...document.querySelectorAll("gradio-app .loading, gradio-app .wrap.full")].some(
      (one) => getComputedStyle(one).visibility !== "hidden" && one.getClientRects().length,
    );
    window.frames_seen.push([
      getComputedStyle(document.body).backgroundColor,
      getComputedStyle(document.documentElement).colorScheme,
      document.documentElement.classList.contains("up") ? false : splash,
    ]);
  }
  if (!window.still()) requestAnimationFrame(look);
};
look();
"""


@pytest.mark.parametrize("slug", [HOME, "api"])
def test_nothing_jumps_elsewhere(open_page: OpenPage, slug: str) -> None:
    wide, phone = (open_page(new=True, width=width, moving=True) for width in (1280, 390))
    for page in (wide, phone):
        page.add_init_script(WATCH)
        page.goto(f"/{slug}")
        expect(page.locator(f"{UP}, .operation").first).to_be_visible()
    for page in (wide, phone):
        if slug != "api":
            page.wait_for_function("still()")  # two seconds without a shift
        check_still(page)
        assert len(page.evaluate("widths")) <= 1


def test_stored_answers_are_seen_before_any_script_of_gradio(
    open_page: OpenPage, subtests: pytest.Subtests
) -> None:
    page = open_page(width=390, watched=False)
    page.route("**/assets/index-*.js", lambda route: route.abort())
    waiting = page.locator(".tour-waiting .result")
    for spec in TASK_PAGES:
        with subtests.test(spec.slug):
            example = examples.load(spec.task)[0]
            page.goto(f"/{spec.slug}")
            figure = spec.draw(example.payload, example.answer).striptags()
            expect(waiting).to_be_visible()
            assert "".join(figure.split()) in "".join((waiting.text_content() or "").split())
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
    check_accessible(page)
    page.goto(f"/{TASK_PAGES[0].slug}?run=1")
    expect(page.locator(".tour-waiting")).to_be_attached()
    expect(waiting.locator(".answered")).to_be_hidden()
    page.goto("/")
    for card in home.CARDS:
        shown = page.locator(".tour-waiting .made").filter(has=page.get_by_text(card.title, exact=True))
        expect(shown).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    check_accessible(page)
    page.unroute("**/assets/index-*.js")
    page.goto("/")
    expect(page.locator(UP).first).to_be_visible()
    expect(page.locator(".tour-waiting")).to_have_count(0)


def test_pages_are_as_wide_as_they_may_be_whatever_is_in_them(open_page: OpenPage) -> None:
    page = open_page("/tokenizers")
    expect(page.locator(".lane-token").first).to_be_visible()
    for width in (1280, 1440, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.locator(".gradio-container").bounding_box()["width"] == 1200  # type: ignore[index]


@pytest.fixture(scope="module")
def prefers_dark(browser: Browser, app_url: str) -> StorageState:
    """What the browser of somebody keeps who has pressed the switch."""
    with browser.new_context(base_url=app_url, **VISITOR) as context:
        page = context.new_page()
        page.emulate_media(color_scheme="light")
        page.goto("/")
        switch_theme(page)
        return context.storage_state()


@dataclass(frozen=True)
class Opened:
    """A page as it opens in a browser that has loaded nothing of the app, and on a phone that has its
    scripts: both ways of loading."""

    spec: TaskPage | PlainPage
    window: Page
    phone: Page
    faults: Faults


@pytest.fixture(scope="module")
def opening(
    browser: Browser, app_url: str, prefers_dark: StorageState
) -> Iterator[Callable[[TaskPage | PlainPage], Opened]]:
    """Begins to open a page, unless that has been done: each is begun while the page before it is tested,
    and has come to rest by the time that it is asked for.
    """
    with browser.new_context(base_url=app_url, **VISITOR) as carried:
        with carried.new_page() as first:  # for its scripts
            first.goto(f"/{PAGES[0].slug}")
            expect(first.locator(UP).first).to_be_visible()
        begun: dict[str, Opened] = {}

        def begin(spec: TaskPage | PlainPage) -> Opened:
            if spec.slug in begun:
                return begun[spec.slug]
            faults = Faults(app_url)
            window = browser.new_context(base_url=app_url, storage_state=prefers_dark, **VISITOR).new_page()
            phone = carried.new_page()
            phone.set_viewport_size({"width": 390, "height": 900})
            for page, scripts in ((window, WATCH + FRAMES), (phone, WATCH)):
                page.emulate_media(color_scheme="light")
                page.add_init_script(scripts)
                faults.watch(page)
                page.goto(f"/{spec.slug}", wait_until="commit")
            begun[spec.slug] = Opened(spec, window, phone, faults)
            return begun[spec.slug]

        yield begin
        for left in begun.values():  # to close one again does nothing
            left.window.context.close()


@pytest.fixture(scope="module", params=range(len(PAGES)), ids=lambda at: PAGES[at].slug)
def opened(
    request: pytest.FixtureRequest, opening: Callable[[TaskPage | PlainPage], Opened]
) -> Iterator[Opened]:
    """Several tests look at it."""
    opened = opening(PAGES[request.param])
    for following in PAGES[request.param + 1 : request.param + 2]:
        opening(following)
    expect(opened.window.locator(UP).first).to_be_visible()
    yield opened
    opened.phone.close()
    opened.window.context.close()
    assert not opened.faults


def test_nothing_jumps_while_a_page_opens_also_on_a_phone(opened: Opened) -> None:
    for page in (opened.window, opened.phone):
        expect(page.locator(UP).first).to_be_visible()
        page.wait_for_function("still()")  # two seconds without a shift
        check_still(page)
        assert len(page.evaluate("widths")) <= 1


def test_a_theme_that_the_visitor_chose_is_there_from_the_first_frame(opened: Opened) -> None:
    page = opened.window
    page.wait_for_function("still()")
    seen = page.evaluate("frames_seen")
    assert len({colour for colour, _, _ in seen}) == 1, seen
    assert {scheme for _, scheme, _ in seen} == {"dark"}
    assert not any(splash for _, _, splash in seen)


def test_navigation_leads_to_every_page(opened: Opened) -> None:
    page, spec = opened.window, opened.spec
    navigation = page.get_by_role("navigation", name="Pages")
    links = navigation.locator("a")
    assert [link.get_attribute("href") for link in links.all()] == [f"./{each.slug}" for each in PAGES]
    assert navigation.locator('a[aria-current="page"]').get_attribute("href") == f"./{spec.slug}"
    groups = navigation.locator("summary")
    assert groups.count()
    assert navigation.bounding_box()["height"] < 60  # type: ignore[index]  # all in one line
    for group in groups.all():
        group.focus()
        page.keyboard.press("Enter")
        opened_list = navigation.locator("details[open]")
        expect(opened_list).to_have_count(1)  # the others close
        assert opened_list.locator("a").count()
        for link in opened_list.locator("a").all():
            expect(link).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(groups.last).to_be_focused()
    expect(navigation.locator("details[open]")).to_have_count(0)


def test_fits_the_window_and_is_accessible(opened: Opened) -> None:
    page, spec = opened.window, opened.spec
    expect(page.get_by_role("heading", level=1)).to_have_text(spec.title)
    expect(page).to_have_title(re.compile(f"^{re.escape(spec.title)}"))
    switch_theme(page)  # this visitor's is dark
    check_looks(page)


def test_the_first_link_leads_to_the_content_and_keeps_the_page(opened: Opened) -> None:
    page, spec = opened.window, opened.spec
    if isinstance(spec, TaskPage):
        box = page.locator(".asking textarea, .asking input").first
        box.fill("typed and not to be lost")
    address = page.url
    first = page.locator("a, button, input, textarea").first  # what Tab reaches first on a fresh page
    expect(first).to_have_text("Skip to content")
    first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    assert page.url == address
    if isinstance(spec, TaskPage):
        expect(box).to_have_value("typed and not to be lost")
        page.keyboard.press("Tab")  # on to what is asked, not back to the navigation
        assert page.evaluate("document.querySelector('gradio-app').contains(document.activeElement)")


def test_the_api_page_fits_and_is_accessible(open_page: OpenPage) -> None:
    page = open_page("/api")
    page.evaluate(
        "document.querySelectorAll('#text_classification details').forEach((one) => { one.open = true; })"
    )
    looks: tuple[tuple[int, Literal["light", "dark"]], ...] = ((1280, "light"), (390, "dark"))
    for width, colours in looks:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=colours)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        check_accessible(page)
