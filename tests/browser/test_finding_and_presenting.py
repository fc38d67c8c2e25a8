"""The search of the header, and pages as they are presented."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from components.models.catalog import load_catalog
from demos import PAGES, tours
from tests.browser.conftest import OpenPage
from tests.browser.tour import PATIENCE, check_accessible

SIZE = "parseFloat(getComputedStyle(document.querySelector('.layer-view p')).fontSize)"
ENTRIES = "async () => (await (await fetch(new URL('./data/search', document.baseURI))).json()).entries"


def test_everything_is_found_by_keyboard_alone(open_page: OpenPage, subtests: pytest.Subtests) -> None:
    page = open_page("/models")
    expect(page.locator("#models-table article").first).to_be_visible()
    dialog = page.get_by_role("dialog", name="Search")
    box = page.get_by_role("combobox", name="Search")
    options = dialog.get_by_role("option")

    with subtests.test("a slash in a field stays a slash"):
        field = page.locator("#models-table input[type=search]")
        field.press("/")
        expect(field).to_have_value("/")
        expect(dialog).to_have_count(0)
    with subtests.test("opens with the pages, and gives the focus back"):
        opener = page.get_by_role("button", name="Search", exact=True)
        opener.focus()
        page.keyboard.press("Enter")
        expect(box).to_be_focused()
        expect(options.first).to_contain_text("Home")
        check_accessible(page)
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(opener).to_be_focused()
    with subtests.test("what is not there"):
        page.keyboard.press("Control+k")
        box.fill("zzyzx <b>")
        expect(dialog.get_by_role("status")).to_have_text("Nothing found for “zzyzx <b>”.")
        page.keyboard.press("Escape")
    with subtests.test("fits a phone"):
        page.set_viewport_size({"width": 360, "height": 740})
        page.keyboard.press("/")
        box.fill("attention")
        expect(options.first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.keyboard.press("Escape")
        page.set_viewport_size({"width": 1280, "height": 900})
    with subtests.test("a checkpoint opens its page with an example and the model"):
        page.keyboard.press("/")
        box.fill("emotions minilm classification")
        page.keyboard.press("ArrowUp")  # from the first to the last and back
        page.keyboard.press("ArrowDown")
        chosen = dialog.get_by_role("option", selected=True)
        expect(chosen).to_have_count(1)
        expect(chosen).to_contain_text("Checkpoint")
        assert box.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(r"/text-classification\?text=.+&model=emotions"))
        expect(page.locator("#text-classification-result .answered")).to_be_visible(timeout=PATIENCE)
        expect(page.locator("#text-classification-text textarea")).not_to_be_empty()


def test_search_finds_every_page_tour_and_checkpoint(open_page: OpenPage) -> None:
    found = open_page("/api").evaluate(ENTRIES)
    assert {f"./{spec.slug}" for spec in PAGES} <= {one["href"] for one in found if one["kind"] == "Page"}
    stops = {stop.title for guide in tours.tours() for stop in guide.stops}
    assert stops == {one["title"] for one in found if one["kind"] == "Tour"}
    assert {one.title for one in load_catalog()} <= {
        one["title"] for one in found if one["kind"] == "Model card"
    }


def shown(page: Page) -> list[str]:
    """The figures that can be seen of a presented page."""
    ids: list[str] = page.evaluate(
        """[...document.querySelectorAll("[data-presented]")].filter((one) => one.checkVisibility()).map(
          (one) => one.id || one.className)"""
    )
    return ids


def test_a_page_is_presented_one_figure_at_a_time(open_page: OpenPage, subtests: pytest.Subtests) -> None:
    page = open_page("/layers")
    expect(page.locator("#layers-result .layer-view").first).to_be_visible()
    usual = page.evaluate(SIZE)
    bar = page.locator("#present-bar output")

    with subtests.test("by its key, with the text and without forms"):
        page.keyboard.press("Alt+p")
        expect(bar).to_have_text(re.compile(r"^Figure 1 of \d"))
        expect(page).to_have_url(re.compile("present=1"))
        assert page.evaluate(SIZE) > 1.3 * usual
        for hidden in ("#tour-header", ".asking", "#layers-model", "#layers-drawer", "footer"):
            expect(page.locator(hidden).first).to_be_hidden()
        expect(page.locator(".present-asked")).to_contain_text("The capital of France is")
        assert len(shown(page)) == 1
        check_accessible(page)
    with subtests.test("figures follow each other"):
        first = page.locator("[data-presented]").inner_text()
        page.keyboard.press("PageDown")
        expect(bar).to_have_text(re.compile("^Figure 2 of"))
        assert page.locator("[data-presented]").inner_text() != first
        page.keyboard.press("ArrowRight")
        expect(bar).to_have_text(re.compile("^Figure 3 of"))
        page.keyboard.press("PageUp")
        expect(bar).to_have_text(re.compile("^Figure 2 of"))
        assert len(shown(page)) == 1
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    with subtests.test("ends where it began"):
        page.keyboard.press("Escape")
        expect(page.locator("#layers-model")).to_be_visible()
        expect(page).not_to_have_url(re.compile("present"))
        expect(page.locator("#present-bar")).to_be_hidden()
        assert page.evaluate(SIZE) == usual
    with subtests.test("stays from stop to stop, with what a stop points at"):
        page.goto("/?tour=main&stop=7&present=1")
        expect(bar).to_have_text(re.compile("^Figure"), timeout=PATIENCE)
        expect(page.locator("#attribution-result .tinted")).to_be_visible(timeout=PATIENCE)
        expect(page.locator("#attribution-result[data-presented]")).to_be_visible()
        assert shown(page) == ["attribution-result"]
        page.keyboard.press("ArrowRight")
        expect(page.locator("#tour-stop")).to_have_text("How sure is the model?")
        expect(page).to_have_url(re.compile("present=1"))
        expect(bar).to_have_text(re.compile("^Figure"), timeout=PATIENCE)
        expect(page.locator("#text-classification-trust[data-presented]")).to_be_visible()
        assert shown(page) == ["text-classification-trust"]
