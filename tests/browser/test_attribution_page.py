"""The attribution page: it opens with an answer, runs what a link says, and edits the word that is picked."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import Page, expect

from tests.browser.tour import PATIENCE, check_accessible

HOSTILE = "<img src=x onerror=alert(1)> was good."


def test_from_the_opening_answer_to_an_edit(page: Page) -> None:
    page.goto("/attribution")
    result = page.locator("#attribution-result")
    expect(result.locator(".explained")).to_contain_text("positive")
    expect(page.locator("#attribution-status .badge")).to_be_visible()

    shown = result.locator(".shown-2")
    expect(shown).to_be_visible()
    result.get_by_role("radio", name="Occlusion").check()
    expect(shown).to_be_hidden()
    parts = result.locator(".shown-0 [data-unit]")
    parts.first.focus()
    page.keyboard.press("ArrowRight")
    expect(parts.nth(1)).to_be_focused()
    expect(parts.nth(1)).to_have_accessible_name("room −0.176")
    page.keyboard.press("Enter")
    expect(page.locator("#attribution-part")).to_contain_text("“room”")
    expect(parts.nth(1)).to_have_attribute("aria-pressed", "true")

    page.locator("#attribution-replacement").get_by_role("textbox").fill("breakfast")
    page.locator("#attribution-edit").click()
    edited = page.locator("#attribution-edited")
    expect(edited.locator(".two-sides section")).to_have_count(2, timeout=PATIENCE)
    expect(edited).to_contain_text("The breakfast was small")
    expect(page.locator("#attribution-run")).to_be_enabled()
    check_accessible(page)


def test_a_link_runs_and_can_be_copied(page: Page) -> None:
    asked = {"task": "text_classification", "text": HOSTILE, "model": "sentiment", "target": "negative"}
    page.goto(f"/attribution?{urlencode({**asked, 'run': '1'})}")
    result = page.locator("#attribution-result")
    expect(result.locator(".explained")).to_contain_text("negative", timeout=PATIENCE)
    expect(result.locator("img")).to_have_count(0)
    expect(result.locator(".shown-2 .parts")).to_contain_text("onerror")
    expect(page.locator("#attribution-table svg")).to_be_visible()
    page.locator("#attribution-copy-link").click()
    expect(page.locator("#attribution-copy-link")).to_have_text("Link copied")
    query = parse_qs(urlsplit(page.evaluate("navigator.clipboard.readText()")).query)
    assert query == {**{name: [value] for name, value in asked.items()}, "run": ["1"]}


def test_another_task_changes_what_is_asked(page: Page) -> None:
    page.goto("/attribution")
    expect(page.locator("#attribution-text_pair")).to_have_count(0)
    page.locator("#attribution-task input").click()
    page.get_by_role("option", name="Question answering", exact=True).click()
    expect(page.locator("#attribution-text_pair")).to_contain_text("Question")
    expect(page.locator("#attribution-model input")).to_have_value(
        re.compile(r"^MiniLM answers \(embedded\) · (on this host|loaded)$")
    )
    page.locator("#attribution-run").click()
    expect(page.locator("#attribution-result .problem")).to_contain_text("the question", timeout=PATIENCE)
