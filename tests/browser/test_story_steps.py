"""The three steps of the story, taken by a visitor: with few steps, and real weights."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from components.lab import corpus
from demos import text_generation
from tests.browser.conftest import OpenPage
from tests.browser.tour import TRAINED, TRAINS, Visit, check_accessible

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
    # It is found again by the same browser, and the text is not what a stranger meets.
    page.reload()
    expect(part(page, "pretraining", "result").locator("tbody tr")).to_have_count(6)
    other = open_page("/story#in-small", elsewhere=True)
    expect(part(other, "pretraining", "start")).to_be_visible()
    expect(part(other, "pretraining", "result").locator("table")).to_have_count(0)


def test_what_was_adapted_goes_on_with_a_text(open_page: OpenPage) -> None:
    page = open_page(elsewhere=True)
    open_step(page, "adaptation", "2 Adapt")
    # Ten passages, of which one is held out: how much there is to learn is not for this test to say.
    passages = corpus.fog_loft().split("\n\n")[:10]
    part(page, "adaptation", "text").locator("textarea").fill("\n\n".join(passages))
    set_number(page, "adaptation", epochs=0.5, longest=128, batch=1)
    result = finished(page, "adaptation")
    values = [float(text) for text in result.locator(".bars .value").all_inner_texts()]
    assert len(values) == 4
    assert values[1] < values[0]  # of what was held out
    check_accessible(page)
    expect(result.get_by_role("link", name="Train a classifier on it")).to_have_attribute(
        "href", re.compile(r"lab\?tab=train&model=local%2F")
    )
    result.get_by_role("link", name="Continue a text").click()
    expect(page).to_have_url(re.compile("text-generation"))
    expect(page.locator("#text-generation-prompt textarea")).to_have_value("Bell 2, bench 3. Drew")
    expect(page.locator("#text-generation-model input")).to_have_value(re.compile("text-adaptation"))
    visit = Visit(page, text_generation.PAGE)
    visit.set_option(next(one for one in visit.options if one.name == "max_new_tokens"), 8)
    visit.run()
    assert visit.settled() == "answer", visit.problem.inner_text()
    expect(visit.part("status").locator(".fact").first).to_contain_text("text-adaptation")


def test_a_text_that_is_too_short_is_refused_at_once(open_page: OpenPage) -> None:
    page = open_page(elsewhere=True)
    open_step(page, "adaptation", "2 Adapt")
    part(page, "adaptation", "text").locator("textarea").fill("Too little.")
    part(page, "adaptation", "start").click()
    problem = part(page, "adaptation", "status").locator(".problem")
    expect(problem).to_contain_text("at least 1,000")
