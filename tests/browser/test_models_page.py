"""The models page: every checkpoint, live."""

from __future__ import annotations

import json
import re
import urllib.request
from typing import Any

import httpx
from playwright.sync_api import Locator, Page, expect

from components.models.catalog import load_catalog
from components.models.checkpoint import HubSource, RepoSource
from tests.browser.tour import PATIENCE

CATALOG = load_catalog()


def row(page: Page, checkpoint_id: str) -> Locator:
    return page.locator(f'article[data-checkpoint="{checkpoint_id}"]')


def listed(app_url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{app_url}/v1/models") as response:
        answer: dict[str, Any] = json.load(response)
        return answer


def model(app_url: str, checkpoint_id: str) -> dict[str, Any]:
    return next(each for each in listed(app_url)["models"] if each["id"] == checkpoint_id)


def test_shows_every_checkpoint_with_its_facts(page: Page, app_url: str) -> None:
    page.goto("/models")
    expect(page.locator("article[data-checkpoint]")).to_have_count(len(list(CATALOG)))
    for checkpoint in CATALOG:
        shown = row(page, checkpoint.id)
        expect(shown).to_contain_text(checkpoint.title)
        expect(shown).to_contain_text(checkpoint.licence)
        expect(shown).to_contain_text(re.compile(r"download \d|nothing to download"))
        expect(shown).to_contain_text(checkpoint.about)
    expect(page.locator(".memory")).to_contain_text(re.compile(r"\d.* of \d.*B (on \w|of memory)"))


def test_load_and_unload_show_live_and_are_real(page: Page, app_url: str) -> None:
    """A second visitor's page, opened before, follows without a reload."""
    whole = [each for each in CATALOG if each.embedded and each.body is None]
    checkpoint = min(whole, key=lambda each: each.download_bytes)
    watching = page.context.new_page()
    for visitor in (page, watching):
        visitor.goto("/models")
    shown = row(page, checkpoint.id)
    # Adapters that earlier tests left loaded hold their body.
    adapters = (each for each in CATALOG if each.body is not None and each.body.id == checkpoint.id)
    for each in (*adapters, checkpoint):
        state = model(app_url, each.id)["state"]
        expect(row(page, each.id)).to_have_attribute("data-state", state)
        if state == "ready":
            row(page, each.id).get_by_role("button", name="Unload").click()
        expect(row(page, each.id)).to_have_attribute("data-state", "absent")
    used = listed(app_url)["memory"]["used"]
    assert model(app_url, checkpoint.id)["bytes_in_memory"] == 0

    shown.get_by_role("button", name="Load").click()
    for visitor in (page, watching):
        expect(row(visitor, checkpoint.id)).to_have_attribute("data-state", "ready", timeout=PATIENCE)
        expect(row(visitor, checkpoint.id).get_by_role("button", name="Unload")).to_be_enabled()
    grown = listed(app_url)["memory"]["used"] - used
    assert (
        grown == next(m for m in listed(app_url)["models"] if m["id"] == checkpoint.id)["bytes_in_memory"] > 0
    )

    shown.get_by_role("button", name="Unload").click()
    for visitor in (page, watching):
        expect(row(visitor, checkpoint.id)).to_have_attribute("data-state", "absent")
    assert listed(app_url)["memory"]["used"] == used


def test_checkpoints_out_of_reach_say_so_once_and_offer_nothing_that_must_fail(
    page: Page, app_url: str
) -> None:
    checkpoint = next(
        each for each in CATALOG if isinstance(each.source, HubSource) and "text_classification" in each.tasks
    )
    asked = {"text": "Fine.", "model": checkpoint.id}
    tried = httpx.post(f"{app_url}/v1/text_classification", json=asked, timeout=60)
    assert "cannot be reached" in tried.text
    page.goto("/models")
    group = page.locator(".models-group", has=row(page, checkpoint.id))
    expect(group.locator("> .hint")).to_contain_text("The Hub cannot be reached")
    expect(row(page, checkpoint.id)).to_be_hidden()
    group.locator("summary").click()
    expect(row(page, checkpoint.id)).to_be_visible()
    expect(row(page, checkpoint.id).get_by_role("button")).to_have_count(0)
    expect(group.get_by_text("cannot be reached")).to_have_count(1)


def test_what_is_there_comes_first_and_can_be_narrowed_to_a_task(page: Page) -> None:
    page.goto("/models")
    expect(page.locator(".models-group").first.locator("article").first).to_be_visible()
    embedded = [each.id for each in CATALOG if each.embedded and "translation" in each.tasks]
    page.locator(".models-filter select").select_option(label="Translation")
    shown = page.locator(".models-group[data-group=shipped] article:visible")
    expect(shown).to_have_count(len(embedded))
    expect(page.locator(".models-group[data-group=hub] article:visible").first).to_be_visible()
    page.locator(".models-filter input").fill("no such words")
    expect(page.locator("article[data-checkpoint]:visible")).to_have_count(0)


def test_a_card_is_one_click_away(page: Page) -> None:
    checkpoint = next(each for each in CATALOG if isinstance(each.source, RepoSource))
    page.goto("/models")
    row(page, checkpoint.id).get_by_role("link", name="model card").click()
    expect(page.locator("#models-card h3")).to_have_text(checkpoint.id)


def test_a_search_out_of_reach_says_so(page: Page) -> None:
    page.goto("/models")
    page.locator("#hub-search").click()
    expect(page.locator("#hub-said")).to_contain_text("cannot be reached for the search")
