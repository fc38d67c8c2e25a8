"""An answer beside its question: told, read out and kept; and never beside another question as if it were
its own."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from demos import attribution, layers, text_classification, text_generation
from tests.browser.tour import PATIENCE, STALE, Visit, stale_label


def test_own_text_is_there_again_after_leaving_the_page(page: Page) -> None:
    visit = Visit(page, text_classification.PAGE).open()
    visit.fill("text", "A dull evening, and the soup was cold.")
    visit.run()
    expect(page).to_have_url(re.compile(r"\?text=A\+dull\+evening"))
    page.locator("nav summary").first.click()
    page.get_by_role("link", name="Entities", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Named entities")
    page.go_back()
    expect(visit.box("text")).to_have_value("A dull evening, and the soup was cold.")
    expect(visit.part("result")).to_contain_text("negative", timeout=PATIENCE)


def test_a_stopped_answer_says_that_it_is_not_complete(page: Page) -> None:
    visit = Visit(page, text_generation.PAGE).open(
        prompt="One, two, three, four, five,", mode="plain", max_new_tokens=512
    )
    visit.part("run").click()
    expect(visit.part("result").locator("[data-partial]")).to_have_count(1, timeout=PATIENCE)
    visit.part("stop-run").click()
    expect(visit.part("run")).to_be_enabled()
    expect(visit.part("result")).to_have_attribute("data-stale", "Stopped: this answer is not complete")


def test_a_run_that_is_stopped_before_it_answers_leaves_the_old_answer_marked(page: Page) -> None:
    visit = Visit(page, text_generation.PAGE).open()
    visit.fill("prompt", "Tell of a dragon.")
    visit.part("run").click()
    visit.part("stop-run").click()
    expect(visit.part("run")).to_be_enabled()
    result = visit.part("result")
    expect(result).to_have_attribute("data-stale", re.compile("^(Answer to an earlier text|Stopped)"))


def test_a_panel_marks_what_it_found_for_another_text(page: Page) -> None:
    visit = Visit(page, text_classification.PAGE).open()
    visit.part("compare").locator("button").first.click()
    visit.run(visit.part("compare-models").click)
    compared = page.locator("#text-classification-compared")
    expect(compared.locator(".column")).to_have_count(2)
    expect(compared).not_to_have_attribute("data-stale", re.compile("."))
    visit.fill("text", "Something else entirely.")
    expect(compared).to_have_attribute("data-stale", STALE)


@pytest.mark.parametrize("slug", [attribution.SLUG, layers.SLUG])
def test_the_pages_that_look_inside_do_the_same(page: Page, slug: str) -> None:
    page.goto(f"/{slug}")
    expect(page.locator(f"#{slug}-result .answered")).to_be_visible()
    page.locator(f"#{slug}-text textarea").fill("Another text than that of the answer.")
    expect(page.locator(f"#{slug}-result")).to_have_attribute("data-stale", STALE)
    assert STALE.match(stale_label(page, f"#{slug}-result"))


def test_what_pickers_say_of_a_model_follows_what_is_true(page: Page) -> None:
    """Nothing before it is known; then, also after a run, where the model is."""
    html = page.request.get("/text-classification").text()
    for state in ("to download", "on this host", "loaded"):
        assert f"· {state}" not in html
    visit = Visit(page, text_classification.PAGE).open()
    visit.part("compare").locator("button").first.click()
    visit.run()
    for box in ("model", "other-model"):
        expect(visit.box(box)).to_have_value(
            re.compile(r" · (loaded|on this host|to download|needs internet)")
        )
    expect(visit.box("model")).to_have_value(re.compile(r" · loaded$"))
    expect(visit.part("model-about")).to_contain_text("English")
    expect(visit.part("model-about")).to_contain_text("loaded")
    page.goto("/attribution")
    expect(page.locator("#attribution-model input")).to_have_value(re.compile(r" · loaded$"))
