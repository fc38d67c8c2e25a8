"""The anatomy page's sections on positions, parts switched off, and sizes, used one after the other."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from demos.anatomy import EXAMPLES
from demos.anatomy.context import SLUG
from tests.browser.tour import PATIENCE, check_accessible

MODEL = next(iter(EXAMPLES.values()))[2]  # that the page opens with


@pytest.fixture(scope="module")
def opened(keep_open: Callable[[str], Page]) -> Page:
    return keep_open(f"/{SLUG}")


def part(page: Page, name: str) -> Locator:
    return page.locator(f"#{SLUG}-{name}")


def ask(page: Page, example: str, tab: str) -> None:
    """An example's text and model, in a tab."""
    text, _, _ = EXAMPLES[example]
    part(page, f"example-{list(EXAMPLES).index(example)}").click()
    expect(part(page, "text").locator("textarea")).to_have_value(text)
    page.get_by_role("tab", name=tab, exact=True).click()


def ran(page: Page, section: str) -> None:
    expect(part(page, f"{section}-status").locator(".fact").first).to_be_visible(timeout=PATIENCE)


def drawn(page: Page, name: str) -> Locator:
    return part(page, name).locator(".js-plotly-plot")


def test_sizes_follow_their_sliders(opened: Page) -> None:
    opened.get_by_role("tab", name="Scale", exact=True).click()
    facts = part(opened, "scaling-facts")
    expect(facts).to_contain_text("134,515,008")
    expect(drawn(opened, "scaling-parts")).to_be_visible(timeout=PATIENCE)
    expect(drawn(opened, "scaling-curves")).to_be_visible(timeout=PATIENCE)
    slider = part(opened, "scaling-layers").get_by_role("slider")
    slider.focus()
    slider.press("ArrowRight")
    expect(facts).to_contain_text("138,055,104")  # one more layer: 3 x 576 x 1536 and attention
    width = part(opened, "scaling-width").get_by_role("spinbutton")
    width.fill("1152")
    width.press("Tab")
    expect(part(opened, "scaling-inner").get_by_role("spinbutton")).to_have_value("3072")
    target = part(opened, "scaling-target").get_by_role("spinbutton")
    target.fill("1")
    target.press("Enter")
    expect(part(opened, "scaling-ways")).to_contain_text("What would make this 1 billion?")
    check_accessible(opened)


def test_a_tab_shows_the_opening_text_before_any_press(opened: Page) -> None:
    opened.request.post("/v1/anatomy", data={"text": "one", "model": MODEL}, timeout=PATIENCE)  # on the host
    for tab, shown, says in (
        ("Positions", "positions-order", "bag of words"),
        ("Switch off", "ablation-result", "Without"),
    ):
        opened.get_by_role("tab", name=tab, exact=True).click()
        expect(part(opened, shown)).to_contain_text(says, timeout=PATIENCE)


def test_words_are_shuffled_and_positions_taken_away(opened: Page) -> None:
    ask(opened, "An encoder", "Positions")
    part(opened, "positions-run").click()
    ran(opened, "positions")
    order = part(opened, "positions-order")
    expect(order).to_contain_text("bag of words")
    expect(order.locator("tbody tr")).to_have_count(3)
    expect(drawn(opened, "positions-changed")).to_be_visible(timeout=PATIENCE)
    expect(drawn(opened, "positions-similarity-0")).to_have_attribute(
        "aria-label", re.compile("Cosine similarity of positions")
    )
    expect(part(opened, "positions-map-0")).to_contain_text("embeddings.position_embeddings")
    check_accessible(opened)


def test_a_part_is_switched_off_and_all_are_compared(opened: Page) -> None:
    ask(opened, "A classifier", "Switch off")
    part(opened, "ablation-what").locator("input").click()
    opened.get_by_role("option", name="A whole layer").click()
    expect(part(opened, "ablation-head")).to_be_hidden()
    layer = part(opened, "ablation-layer").get_by_role("spinbutton")
    layer.fill("0")
    layer.press("Enter")
    ran(opened, "ablation")
    result = part(opened, "ablation-result")
    expect(result).to_contain_text("Without every layer")
    expect(result.locator(".side-by-side .column")).to_have_count(2)
    expect(drawn(opened, "ablation-moved")).to_be_visible(timeout=PATIENCE)
    layer.fill("9")
    layer.press("Enter")
    problem = part(opened, "ablation-status").get_by_role("alert")
    expect(problem).to_contain_text("its layers are numbered 1 to 6", timeout=PATIENCE)
    part(opened, "ablation-parts").click()
    expect(drawn(opened, "ablation-costs")).to_be_visible(timeout=PATIENCE)
    expect(part(opened, "ablation-costs").locator("tbody tr")).to_have_count(24)
    check_accessible(opened)
