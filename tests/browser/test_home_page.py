"""The home page: stored answers at once, a visitor's own text through everything, stopped at any time."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from components.insight import overview
from demos import home
from tests.browser.conftest import OpenPage
from tests.browser.test_hostile_text import SCRIPTS
from tests.browser.tour import PATIENCE, check_accessible

# Whether a card's place is held by a skeleton, which is not that of an earlier text, at any time from now on.
WAITED = """(card) => {
  window.waited = false;
  new MutationObserver(() => {
    window.waited ||= Boolean(card.querySelector(".skeleton")) && !card.dataset.stale;
  }).observe(card, { subtree: true, childList: true, attributes: true });
}"""
LETTER = "The soup was cold. Our waiter Jonas from Oslo was rude. I will never come back."


def part(page: Page, name: str) -> Locator:
    return page.locator(f"#home-{name}-result")


def analyze(page: Page, text: str) -> None:
    page.locator("#home-text textarea").fill(text)
    page.locator("#home-run").click()


def finished(page: Page) -> None:
    expect(page.get_by_text("Done. Open a card to continue with this text.")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#home-run")).to_be_enabled()


def test_opens_with_a_stored_answer_on_every_card(page: Page) -> None:
    page.goto("/")
    expect(page.locator("#home-text textarea")).to_have_value(overview.LETTER)
    for card in home.CARDS:
        expect(part(page, card.part).locator(".answered")).to_be_visible()
    expect(part(page, "entities").locator("mark").first).to_have_text("Boston")
    expect(page.locator("#home-strip .strip svg")).to_be_visible()
    expect(page.locator(".strip .skeleton")).to_have_count(0)
    strip, links = (page.locator(f"#home-strip {each}").bounding_box() for each in (".strip", ".ways"))
    assert strip is not None
    assert links is not None
    assert strip["y"] + strip["height"] <= links["y"], "links to the stages' pages lie below the strip"
    expect(part(page, "table").locator("td.marked")).to_have_text(["340"])


def test_a_text_goes_through_everything_and_each_card_opens_its_page_with_it(page: Page) -> None:
    page.goto("/")
    expect(page.locator("#home-strip .strip svg")).to_be_visible()
    page.locator("#home-text textarea").fill(LETTER)
    expect(part(page, "entities")).to_have_attribute("data-stale", re.compile("^Answer to an earlier text"))
    part(page, "gap").evaluate(WAITED)
    page.locator("#home-run").click()
    finished(page)
    assert page.evaluate("window.waited")
    expect(part(page, "gap")).not_to_have_attribute("data-stale", re.compile("."))
    for card in home.CARDS:
        expect(part(page, card.part).locator(".answered")).to_be_visible()
        expect(part(page, card.part).locator(".skeleton, .problem")).to_have_count(0)
        address = part(page, card.part).locator("h3 a").get_attribute("href") or ""
        assert urlsplit(address).path == f"./{card.slug}"
        assert parse_qs(urlsplit(address).query)["run"] == ["1"]
    expect(part(page, "entities").locator("mark")).to_have_text(["Jonas", "Oslo"])
    expect(page.locator("#home-strip .ways")).to_contain_text("Our waiter Jonas from Oslo was rude.")
    part(page, "entities").locator("h3 a").click()
    expect(page.locator("#named-entities-text textarea")).to_have_value(LETTER)
    expect(page.locator("#named-entities-result")).to_contain_text("Jonas", timeout=PATIENCE)


def test_stop_frees_the_models_at_once(page: Page, app_url: str) -> None:
    page.goto("/")
    expect(page.locator("#home-strip .strip svg")).to_be_visible()
    analyze(page, " ".join([LETTER] * 30))  # to translate it takes longer than to press Stop
    expect(part(page, "gap").locator(".skeleton")).to_be_visible()  # the stored answers are gone
    expect(part(page, "emotions").locator(".answered")).to_be_visible(timeout=PATIENCE)
    page.locator("#home-stop-run").click()
    leased = """async url => {
      const { models } = await (await fetch(url)).json();
      return models.every((one) => !one.leases);
    }"""
    page.wait_for_function(leased, arg=f"{app_url}/v1/models", polling=200, timeout=30_000)
    expect(part(page, "gap").locator(".skeleton")).to_be_visible()  # what had not begun is left alone
    expect(page.locator("#home-run")).to_be_enabled()
    expect(page.get_by_text("Stopped.")).to_be_visible()


def test_a_link_restores_and_runs_it_elsewhere(open_page: OpenPage) -> None:
    here = open_page("/")
    expect(here.locator("#home-strip .strip svg")).to_be_visible()
    here.locator("#home-text textarea").fill(LETTER)
    here.locator("#home-question textarea").fill("Who was rude?")
    here.locator("#home-copy-link").click()
    expect(here.locator("#home-copy-link")).to_have_text("Link copied")
    link = here.evaluate("navigator.clipboard.readText()")
    there = open_page(link, elsewhere=True)
    finished(there)
    expect(there.locator("#home-text textarea")).to_have_value(LETTER)
    expect(part(there, "answer").locator("mark")).to_contain_text("Jonas")


@pytest.mark.parametrize("text", ["", "x" * 4000], ids=["empty", "long"])
def test_a_text_that_cannot_be_read_says_why_and_leaves_the_cards(page: Page, text: str) -> None:
    page.goto("/")
    expect(page.locator("#home-strip .strip svg")).to_be_visible()
    analyze(page, text)
    expect(page.locator(".status .problem")).to_be_visible()
    expect(part(page, "entities").locator(".answered")).to_be_visible()


def test_hostile_text_stays_text(page: Page) -> None:
    page.goto("/")
    expect(page.locator("#home-strip .strip svg")).to_be_visible()
    analyze(page, "\n".join(SCRIPTS.values()))
    finished(page)
    assert page.evaluate("window.__pwn") is None
    expect(page.locator(".made script, .made img, .made iframe")).to_have_count(0)
    check_accessible(page)
