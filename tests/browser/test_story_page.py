"""The story page: a history that keys, a pointer and links go through, and that is told to all."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from demos import story
from tests.browser.conftest import OpenPage
from tests.browser.tour import PATIENCE, check_looks

IDS = [one["id"] for one in story.STORY["milestones"]]
HOSTILE = '<img src=x onerror="window.pwned=1">${window.pwned=1} is bad'
ENCODERS = [one["id"] for one in story.STORY["milestones"] if one["family"] == "encoder"]


def article(page: Page) -> Locator:
    """The details on show; there is one at a time."""
    shown = page.locator(".timeline article:visible")
    expect(shown).to_have_count(1)
    return shown


def button(page: Page, id: str) -> Locator:
    return page.locator(f'[data-milestone="{id}"] > button')


def opened(page: Page, id: str) -> None:
    expect(article(page)).to_have_id(f"milestone-{id}")
    expect(page.locator('.timeline button[aria-expanded="true"]')).to_have_count(1)
    expect(button(page, id)).to_have_attribute("aria-expanded", "true")


def test_a_history_that_keys_and_a_pointer_go_through(open_page: OpenPage, subtests: pytest.Subtests) -> None:
    page = open_page("/story")
    opened(page, story.FIRST)
    assert not page.url.count("#")
    told = page.locator(".timeline").get_by_role("status")
    expect(told).to_have_text("")
    with subtests.test("one Tab stop leads in, and the next to the links"):
        page.locator('[data-step="1"]').focus()
        page.keyboard.press("Tab")
        expect(button(page, story.FIRST)).to_be_focused()
        page.keyboard.press("Tab")
        expect(article(page).get_by_role("link").first).to_be_focused()
    with subtests.test("arrow keys go through all milestones"):
        button(page, story.FIRST).focus()
        page.keyboard.press("Home")
        for id in IDS:
            opened(page, id)
            expect(button(page, id)).to_be_focused()
            expect(page).to_have_url(re.compile(f"/story#{id}$"))
            page.keyboard.press("ArrowRight")
        opened(page, IDS[-1])
        page.keyboard.press("ArrowUp")
        opened(page, IDS[-2])
    with subtests.test("what is chosen is told"):
        button(page, "bert").click()
        expect(told).to_contain_text("BERT: learning by filling gaps.")
        page.get_by_role("button", name="Later").click()
        expect(told).to_contain_text("GPT-2")
        opened(page, IDS[IDS.index("bert") + 1])
    with subtests.test("a filter leaves one family"):
        button(page, story.FIRST).click()
        opened(page, story.FIRST)
        page.get_by_role("radio", name="Encoders").check()
        expect(page.locator(".timeline [data-milestone] > button:visible")).to_have_count(len(ENCODERS))
        expect(told).to_have_text(f"{len(ENCODERS)} milestones are shown.")
        opened(page, ENCODERS[0])
        button(page, ENCODERS[0]).focus()
        page.keyboard.press("ArrowRight")
        opened(page, ENCODERS[1])
        page.keyboard.press("End")
        opened(page, ENCODERS[-1])
        page.get_by_role("radio", name="All").check()
        expect(page.locator(".timeline [data-milestone] > button:visible")).to_have_count(len(IDS))
        opened(page, ENCODERS[-1])
    with subtests.test("a link opens its milestone"):
        button(page, "gpt-3").click()
        expect(page).to_have_url(re.compile("/story#gpt-3$"))
        there = open_page(page.url)
        opened(there, "gpt-3")
        expect(article(there)).to_be_in_viewport()
        there.get_by_role("radio", name="Encoders").check()
        there.evaluate("location.hash = '#lora'")
        opened(there, "lora")
        expect(there.get_by_role("radio", name="All")).to_be_checked()


def test_a_link_to_nothing_shows_the_first(page: Page) -> None:
    for hash in ("#nothing", "#%E0%A4%A", "#main", '#"]'):
        page.goto(f"/story?again={len(hash)}{hash}")
        opened(page, story.FIRST)


def test_sections_can_be_linked(open_page: OpenPage, subtests: pytest.Subtests) -> None:
    first, *_, last = story.PLACES
    for place in (first, last):
        there = open_page(f"/story#{place}")
        expect(there.locator(f"h2#{place}")).to_be_in_viewport()
        opened(there, story.FIRST)
    here = open_page("/story?embed=1")
    contents = here.get_by_role("navigation", name="On this page")
    for place in story.PLACES:
        with subtests.test(place):
            contents.locator(f'[href$="#{place}"]').click()
            expect(here.locator(f"h2#{place}")).to_be_in_viewport()
            expect(here).to_have_url(re.compile(rf"/story\?embed=1#{place}$"))


def test_a_milestone_leads_to_a_page_that_answers(page: Page) -> None:
    page.goto("/story#ulmfit")
    article(page).get_by_role("link").first.click()
    expect(page).to_have_url(re.compile("/text-classification"))
    text = page.locator("#text-classification-text textarea")
    expect(text).to_have_value(re.compile("best evening in years"))
    expect(page.locator("#text-classification-result .best")).to_contain_text("positive", timeout=PATIENCE)


def test_it_is_accessible_and_on_a_phone_details_follow_their_milestone(open_page: OpenPage) -> None:
    page = open_page("/story#bert")
    opened(page, "bert")
    check_looks(page)
    page.set_viewport_size({"width": 390, "height": 900})
    button(page, "lora").click()
    opened(page, "lora")
    above, below = button(page, "lora").bounding_box(), article(page).bounding_box()
    assert above is not None
    assert below is not None
    assert 0 <= below["y"] - (above["y"] + above["height"]) < 20
    assert below["x"] + below["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for id in IDS:
        assert button(page, id).evaluate("each => each.scrollWidth <= each.clientWidth"), id


def test_drawings_are_played_and_experiments_run(open_page: OpenPage) -> None:
    page = open_page("/story", moving=True)
    opened(page, story.FIRST)
    drawing = page.locator(".drawing").first
    drawing.get_by_role("button", name="Play").click()
    expect(drawing).to_have_class(re.compile("playing"))
    expect(drawing).not_to_have_class(re.compile("playing"))  # it ends by itself
    page.emulate_media(reduced_motion="reduce")
    drawing.get_by_role("button", name="Play").click()
    assert drawing.locator(".step").last.evaluate("step => getComputedStyle(step).animationName") == "none"

    rows = page.locator("#experiment-languages-result tbody tr")
    expect(rows).to_have_count(5)
    page.locator("#experiment-languages-text-0 textarea").fill(HOSTILE)
    state = page.locator("#experiment-languages-status")
    expect(state).to_contain_text("the figure still shows the result for the earlier text")
    page.locator("#experiment-languages-run").click()
    expect(state).to_contain_text("Measured just now", timeout=PATIENCE)
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text(HOSTILE)
    assert page.evaluate("window.pwned") is None

    page.locator("#experiment-length-run").click()
    stop = page.locator("#experiment-length-stop")
    expect(stop).to_be_enabled()
    stop.click()
    expect(page.locator("#experiment-length-status")).to_contain_text("Stopped", timeout=PATIENCE)
    expect(page.locator("#experiment-length-run")).to_be_enabled()
    # A link within the page does not load it again.
    page.evaluate("window.here = true")
    page.get_by_role("link", name="Try the three steps").last.click()
    expect(page.locator("#in-small")).to_be_in_viewport()
    assert page.evaluate("window.here")
