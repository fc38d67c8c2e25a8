"""Plotly's charts on a page: loaded with the first, read in both themes, saved, as wide as their place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.tour import ALL_RULES, COLOURS, LAYOUT, PATIENCE, check_accessible


def chart(page: Page) -> Locator:
    return page.locator("#lab-classes .js-plotly-plot")


def classes(page: Page) -> Page:
    """The lab with the chart of its classes."""
    expect(page.locator("#lab-rows tbody tr").first).to_be_visible()
    page.locator("#lab-explorer").get_by_role("tab", name="Classes", exact=True).click()
    expect(chart(page).locator(".main-svg").first).to_be_visible()
    return page


def test_plotly_is_loaded_from_here_when_the_first_chart_is_drawn(open_page: OpenPage) -> None:
    page = open_page(elsewhere=True)
    scripts: list[str] = []
    page.on("request", lambda request: scripts.append(request.url) if "Plotly" in request.url else None)
    page.goto("/lab")
    expect(page.locator("#lab-rows tbody tr").first).to_be_visible()
    assert not scripts
    classes(page)
    assert len(scripts) == 1


@pytest.mark.parametrize(("width", "rules"), [(1280, ALL_RULES), (360, LAYOUT)])
def test_a_chart_is_read_in_both_themes_and_on_a_phone(
    open_page: OpenPage, width: int, rules: Mapping[str, object]
) -> None:
    page = classes(open_page("/lab", width=width))
    expect(chart(page)).to_have_attribute("aria-label", "Rows of each class, by split")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    drawn, place = chart(page).locator(".main-svg").first.bounding_box(), chart(page).bounding_box()
    assert drawn
    assert place
    assert abs(drawn["width"] - place["width"]) <= 1
    page.locator("#lab-classes summary").click()
    expect(page.locator("#lab-classes tbody tr")).to_have_count(6)
    page.wait_for_function(INK)
    check_accessible(page, rules)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(INK)
    check_accessible(page, COLOURS)


# A name at an axis has the colour of the page's text.
INK = """() => {
  const { style } = document.body;
  style.accentColor = getComputedStyle(document.body).getPropertyValue("--tour-ink");
  const name = document.querySelector("#lab-classes .js-plotly-plot .ytick text");
  return name && getComputedStyle(name).fill === getComputedStyle(document.body).accentColor;
}"""


def test_a_chart_is_saved_by_keyboard_and_follows_the_width_of_its_place(open_page: OpenPage) -> None:
    page = classes(open_page("/lab"))
    button = chart(page).get_by_role("button", name="Download plot as a PNG")
    button.focus()
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "classes.png"
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    page.set_viewport_size({"width": 390, "height": 800})
    drawn = chart(page).locator(".main-svg").first
    page.wait_for_function(FOLLOWED)
    expect(drawn).to_have_attribute("width", str(chart(page).evaluate("(plot) => plot.clientWidth")))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


# The chart's place has the phone's width.
FOLLOWED = "document.querySelector('#lab-classes .js-plotly-plot').clientWidth <= 390"


def test_reliability_is_drawn_once_it_is_asked_for(page: Page) -> None:
    page.goto("/text-classification")
    expect(page.locator("html.up")).to_be_visible()
    page.locator("#text-classification-trust > button").click()
    figure = page.locator("#text-classification-reliability .js-plotly-plot")
    expect(figure).to_be_visible(timeout=PATIENCE)
    expect(figure).to_have_attribute("aria-label", re.compile("right answers"))
