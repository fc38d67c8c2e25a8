"""The guided tours: walked through by keyboard alone, one page load a stop."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, Request, expect

from components.ui.guides import Guide, Stop
from demos import tours
from tests.browser.conftest import OpenPage
from tests.browser.tour import PATIENCE, check_accessible

# Whether what a stop points at is in sight, with nothing of the panel over it.
SEEN = """(name) => {
  const anchor = document.querySelector(name)?.getBoundingClientRect();
  const panel = document.querySelector("#tour-panel").getBoundingClientRect();
  if (!anchor) return false;
  const beside = anchor.right <= panel.left + 1;
  const above = !beside && panel.top <= 0;  // in a frame
  const [start, end] = above ? [panel.bottom, innerHeight] : [0, beside ? innerHeight : panel.top];
  return Math.min(anchor.bottom, end) - Math.max(anchor.top, start) >= Math.min(anchor.height, 80) - 1;
}"""
SAID = "(name) => document.querySelector(name)?.innerText ?? ''"


class Streams:
    """Gradio's open streams of a page. Leaving while one is open is an error on its console."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.open = 0
        page.on("request", lambda request: self.count(request, 1))
        for end in ("requestfinished", "requestfailed"):
            page.on(end, lambda request: self.count(request, -1))

    def count(self, request: Request, step: int) -> None:
        self.open += step * ("/queue/data" in request.url)

    def ended(self) -> None:
        deadline = time.monotonic() + PATIENCE / 1000
        while self.open:
            assert time.monotonic() < deadline, "a stream did not end"
            self.page.wait_for_timeout(20)


def arrive(page: Page, guide: Guide, number: int) -> Stop:
    """Waits until a stop is open, with what it points at, and an answer where there is one."""
    stop = guide.stops[number - 1]
    expect(page.locator("#tour-stop")).to_have_text(stop.title)
    expect(page.locator("#tour-stop")).to_be_focused()
    expect(page.locator("#tour-panel")).to_contain_text(f"Stop {number} of {len(guide.stops)}")
    expect(page.locator("[data-tour-here]")).to_have_count(1, timeout=PATIENCE)
    assert page.locator(stop.anchor).first.get_attribute("data-tour-here") is not None
    if stop.query.get("run"):
        # The button to run can be pressed again, and what has come is no refusal.
        expect(page.locator('button[id$="-run"]:not([id$="-stop-run"])')).to_be_enabled(timeout=PATIENCE)
        expect(page.locator(".answered, [data-part=facts]:not(:empty)").first).to_be_visible(timeout=PATIENCE)
        expect(page.locator(".problem")).to_have_count(0)
    page.wait_for_function(SEEN, arg=stop.anchor)
    return stop


def attempt(page: Page, stop: Stop) -> None:
    """The next that Tab reaches after the heading does what the stop asks for."""
    before = page.evaluate(SAID, stop.attempt.changes)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Show me")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_function(
        f"([name, before]) => ({SAID})(name) !== before", arg=[stop.attempt.changes, before], timeout=PATIENCE
    )
    expect(page.locator("#tour-panel [role=status]")).to_have_text(
        "Done. The marked part of the page shows the result."
    )
    expect(page.locator(".problem")).to_have_count(0)


@pytest.mark.timeout(600)
def test_all_tours_by_keyboard_alone(open_page: OpenPage, subtests: pytest.Subtests) -> None:
    page = open_page()
    page.set_default_timeout(15_000)
    streams = Streams(page)
    page.goto("/")
    page.locator(".tour-all").focus()
    page.keyboard.press("Enter")
    seen: set[str] = set()  # pages that have been checked as a whole
    for guide in tours.tours():
        page.locator(f".tour-listed[data-tour={guide.name}] .tour-start").focus()
        page.keyboard.press("Enter")
        for number in range(1, len(guide.stops) + 1):
            with subtests.test(tour=guide.name, stop=number):
                stop = arrive(page, guide, number)
                check_accessible(page, within="#tour-panel" if stop.page in seen else "")
                seen.add(stop.page)
                page.set_viewport_size({"width": 360, "height": 740})
                assert page.evaluate("document.documentElement.scrollWidth") <= 360
                page.wait_for_function(SEEN, arg=stop.anchor)
                page.set_viewport_size({"width": 1280, "height": 900})
                attempt(page, stop)
            streams.ended()
            page.keyboard.press("ArrowRight")
        expect(page.get_by_role("heading", level=1)).to_have_text(tours.TITLE)


def test_a_tour_is_left_and_taken_up_again(open_page: OpenPage, subtests: pytest.Subtests) -> None:
    page = open_page("/?tour=developer&stop=4", moving=True)
    streams = Streams(page)
    expect(page.locator("#tour-stop")).to_be_focused()
    with subtests.test("an arrow key in a code sample or with another key is not the tour's"):
        page.keyboard.press("Alt+Shift+ArrowRight")
        page.locator("#mcp pre").first.evaluate("(one) => { one.tabIndex = 0; one.focus(); }")
        page.keyboard.press("ArrowRight")
        expect(page).to_have_url(re.compile("stop=4"))
    with subtests.test("Escape leaves, and nothing of it stays"):
        page.locator("#tour-panel a[rel=next]").focus()
        page.keyboard.press("Escape")
        expect(page.locator("#tour-panel, [data-tour-here], #tour-panel-style")).to_have_count(0)
        assert page.url.endswith("/api")
        assert page.locator("body").evaluate("(one) => getComputedStyle(one).paddingInlineEnd") == "0px"
    with subtests.test("the home page and the list go on from there"):
        page.locator(".to-tours").click()
        expect(page.locator("[aria-current=step]")).to_have_text("Tools for an assistant")
        going_on = page.get_by_role("link", name="Continue at stop 4")
        address = going_on.get_attribute("href")
        page.locator(".brand").click()
        expect(page.locator(".hero .tour-start")).to_have_attribute("href", str(address))
        expect(page.locator(".hero .tour-start")).to_have_text("Continue the guided tour at stop 4")
    with subtests.test("in a frame the panel is above the answer, and stays in the frame"):
        page.set_viewport_size({"width": 700, "height": 640})
        page.goto("/?tour=main&stop=6&embed=1")
        stop = tours.tours()[0].stops[5]
        expect(page.locator(f"{stop.anchor} .answered")).to_be_visible(timeout=PATIENCE)
        page.wait_for_function(SEEN, arg=stop.anchor)
        expect(page.locator("#tour-stop")).not_to_be_focused()  # the focus is the host page's
        assert page.locator("#tour-panel").evaluate("(one) => getComputedStyle(one).position") == "sticky"
        above, below = page.locator("#tour-panel").bounding_box(), page.locator(stop.anchor).bounding_box()
        assert above
        assert below
        assert below["y"] >= above["y"] + above["height"]
        streams.ended()
        page.keyboard.press("ArrowRight")
        expect(page.locator("#tour-stop")).to_have_text("Why this answer")
        expect(page).to_have_url(re.compile("embed=1"))
        expect(page.locator("#attribution-result .answered")).to_be_visible(timeout=PATIENCE)
        streams.ended()


def test_show_me_waits_for_what_it_presses_and_says_so_where_it_never_comes(open_page: OpenPage) -> None:
    page = open_page(new=True)  # with a clock of its own
    page.clock.install()
    page.goto("/?tour=main&stop=2")
    button = page.locator(".tour-do")
    said = page.locator("#tour-panel [role=status]")
    [pressed] = tours.tours()[0].stops[1].attempt.press
    expect(page.locator(pressed)).to_be_enabled()
    page.evaluate("(name) => { window.gone = document.querySelector(name); gone.id = 'elsewhere'; }", pressed)
    button.click()
    expect(button).to_have_text("Waiting for the page")
    page.clock.fast_forward(61_000)
    expect(said).to_have_text("This control is not available now. Reload the page and try again.")
    expect(said).to_be_in_viewport()
    assert said.evaluate("(one) => one.offsetHeight") > 10
    button.click()
    expect(button).to_have_text("Waiting for the page")
    page.evaluate("(id) => { gone.id = id; }", pressed.removeprefix("#"))
    expect(said).to_have_text("Done. The marked part of the page shows the result.")
    expect(button).to_have_text("Show me")
