"""The guided tours: walked through by keyboard alone, one page load a stop."""

from __future__ import annotations

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
  const end = beside ? innerHeight : panel.top;
  return Math.min(anchor.bottom, end) - Math.max(anchor.top, 0) >= Math.min(anchor.height, 80) - 1;
}"""
SAID = "(name) => document.querySelector(name)?.innerText ?? ''"


class Streams:
    """Gradio's open streams of a page. Leaving while one is open is an error on its console."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.open = 0
        page.on("request", lambda request: self.count(request, 1))
        for end in ("requestfinished", "requestfailed"):
            page.on(end, lambda request: self.count(request, -1))  # type: ignore[call-overload]

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
    for guide in tours.tours():
        page.locator(f".tour-listed[data-tour={guide.name}] .tour-start").focus()
        page.keyboard.press("Enter")
        for number in range(1, len(guide.stops) + 1):
            with subtests.test(tour=guide.name, stop=number):
                stop = arrive(page, guide, number)
                check_accessible(page)
                page.set_viewport_size({"width": 360, "height": 740})
                assert page.evaluate("document.documentElement.scrollWidth") <= 360
                page.wait_for_function(SEEN, arg=stop.anchor)
                page.set_viewport_size({"width": 1280, "height": 900})
                attempt(page, stop)
            streams.ended()
            page.keyboard.press("ArrowRight")
        expect(page.get_by_role("heading", level=1)).to_have_text(tours.TITLE)
