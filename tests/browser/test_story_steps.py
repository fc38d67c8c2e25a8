"""The three steps of the story, taken by a visitor, with few steps; `test_any_checkpoint.py` adapts one."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.tour import TRAINED, TRAINS

pytestmark = TRAINS

HOSTILE = '<img src=x onerror="window.pwned=1"></td></table>${window.pwned=1}{{7*7}}'


def part(page: Page, method: str, name: str) -> Locator:
    return page.locator(f"#steps-{method}-{name}")


def open_step(page: Page, method: str, title: str) -> None:
    page.goto("/story#in-small")
    page.get_by_role("tab", name=title).click()
    expect(part(page, method, "start")).to_be_enabled()
    part(page, method, "options").locator("button").first.click()
    # Gradio gives a control its first value once more after it is there; nobody types that fast.
    page.evaluate("() => new Promise((done) => requestIdleCallback(done))")


def set_number(page: Page, method: str, **values: Any) -> None:
    for name, value in values.items():
        box = part(page, method, name).locator("input[type=number]")
        box.fill(str(value))
        box.press("Tab")


def finished(page: Page, method: str) -> Locator:
    part(page, method, "start").click()
    result = part(page, method, "result")
    expect(result.locator("table").first).to_be_visible(timeout=TRAINED)
    expect(part(page, method, "status")).to_contain_text("Done")
    return result


def test_a_network_is_taught_from_nothing(open_page: OpenPage) -> None:
    page = open_page(elsewhere=True)
    open_step(page, "pretraining", "1 Pretrain")
    lines = "\n".join(f"{HOSTILE} line {number}" for number in range(40))
    part(page, "pretraining", "text").locator("textarea").fill(lines)
    set_number(page, "pretraining", width=32, layers=1, steps=10, longest=32)
    result = finished(page, "pretraining")
    rows = result.locator("tbody tr")
    expect(rows).to_have_count(6)
    first, last = (float(rows.nth(index).locator("td").nth(1).inner_text()) for index in (0, -1))
    assert last < first
    expect(part(page, "pretraining", "curves").locator(".g-ytitle, .g-y2title")).to_have_count(2)
    assert page.evaluate("window.pwned") is None
    # It is found again by the same browser, and the text is not what a new visitor meets.
    page.reload()
    expect(part(page, "pretraining", "result").locator("tbody tr")).to_have_count(6)
    other = open_page("/story#in-small", elsewhere=True)
    expect(part(other, "pretraining", "start")).to_be_visible()
    expect(part(other, "pretraining", "result").locator("table")).to_have_count(0)


def test_a_text_that_is_too_short_is_refused_at_once(open_page: OpenPage) -> None:
    page = open_page(elsewhere=True)
    open_step(page, "adaptation", "2 Adapt")
    part(page, "adaptation", "text").locator("textarea").fill("Too little.")
    part(page, "adaptation", "start").click()
    problem = part(page, "adaptation", "status").locator(".problem")
    expect(problem).to_contain_text("at least 1,000")
