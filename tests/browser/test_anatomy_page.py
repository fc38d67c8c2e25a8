"""The anatomy page: a model's structure and its stages, by pointer, by keys, and taken home."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_hostile_text import SCRIPTS
from tests.browser.tour import PATIENCE, check_accessible, check_looks

FRANCE = "/anatomy?text=The+capital+of+France+is&model=SmolLM2-135M-Instruct&run=1"
# What a chapter on the transformer in a textbook names; the figures have the rest.
TERMS = (
    *("token", "vocabulary", "token embeddings", "position embeddings", "hidden size", "parameters"),
    *("self-attention", "head", "queries", "keys", "values", "mask", "softmax", "output projection"),
    *("residual stream", "skip connection", "layer normalization", "feed-forward", "activation function"),
    *(
        "block",
        "encoder",
        "decoder",
        "positional encoding",
        "causal mask",
        "cross-attention",
        "unembedding",
        "logits",
        "probabilities",
    ),
)


def part(page: Page, view: str, name: str) -> Locator:
    return page.locator(f'#anatomy-{view} [data-part="{name}"]')


def drawn(page: Page) -> Page:
    expect(part(page, "view", "body")).to_have_attribute("data-drawn", re.compile(r"\d"), timeout=PATIENCE)
    return page


def stepping(page: Page) -> Locator:
    drawn(page)
    page.get_by_role("tab", name="Step through", exact=True).click()
    stage = part(page, "steps", "stage")
    expect(stage).to_have_attribute("data-shown", re.compile(r"\d"), timeout=PATIENCE)
    return stage


def taken(page: Page, words: str) -> bytes:
    with page.expect_download(timeout=PATIENCE) as download:
        page.locator("#anatomy-view").get_by_role("button", name=words).first.click()
    return Path(download.value.path()).read_bytes()


@pytest.fixture(scope="module")
def opened(keep_open: Callable[[str], Page]) -> Page:
    """The page as its address alone opens it; several tests go on from there."""
    return drawn(keep_open("/anatomy"))


@pytest.fixture(scope="module")
def france(keep_open: Callable[[str], Page]) -> Page:
    """A model's run over a text, opened at the first layer's attention."""
    page = keep_open(f"{FRANCE}&stage=3")
    expect(stepping(page)).to_have_attribute("data-shown", "2")  # the third
    return page


def test_a_part_goes_home_and_into_the_code(opened: Page) -> None:
    page = opened
    sides = part(page, "view", "sides")
    sides.get_by_role("button", name="Queries").click()
    details = part(page, "view", "details")
    expect(details).to_contain_text("[1, 10, 384]")
    expect(details).to_contain_text("147,840")
    array = np.load(io.BytesIO(taken(page, "Download .npy")))
    told = json.loads(taken(page, "Download JSON"))
    assert told["name"] == "encoder.layer.0.attention.self.query"
    assert np.array_equal(np.array(told["values"], np.float32), array)
    assert array.shape == (1, 10, 384)
    details.locator("summary").click()
    expect(details.locator("summary")).to_have_text(re.compile(r"linear\.py, lines \d+ to \d+"))
    expect(details.locator("pre")).to_contain_text("class Linear")
    details.get_by_role("button", name="Use in the code below").click()
    drawer = page.locator("#anatomy-drawer")
    expect(page.locator("#anatomy-part").locator("input, textarea")).to_have_value(told["name"])
    drawer.get_by_role("tab", name="API", exact=True).click()
    expect(page.locator("#anatomy-api")).to_contain_text(told["name"])  # written together with the code
    drawer.get_by_role("tab", name="Code", exact=True).click()
    expect(page.locator("#anatomy-code pre")).to_contain_text(told["name"])
    drawer.get_by_role("button", name="Copy").locator("visible=true").click()
    assert f"PART = '{told['name']}'" in page.evaluate("navigator.clipboard.readText()")
    page.locator("#anatomy-view .ana-table > summary").click()
    assert b"encoder.layer.5.output.LayerNorm" in taken(page, "Download CSV")


def test_it_opens_with_a_model_and_every_term_of_a_textbook(opened: Page) -> None:
    """Stored, so without a run; the terms of an encoder and of an encoder-decoder together."""
    page = opened
    # The app may have run this text for another test, and has that at hand then.
    expect(part(page, "view", "facts")).to_contain_text(re.compile("stored answer| s on "))
    expect(part(page, "view", "facts")).to_contain_text("22,713,216 parameters")
    texts = [part(page, "view", "body").inner_text()]
    buttons = page.locator("#anatomy-view [data-part=sides] .ana-part")
    for place in range(buttons.count()):
        buttons.nth(place).click()
        expect(buttons.nth(place)).to_have_attribute("aria-pressed", "true")
        texts.append(part(page, "view", "details").inner_text())
    page.locator("#anatomy-example-2").click()
    expect(part(page, "view", "sides")).to_contain_text("Decoder", timeout=PATIENCE)
    texts.append(part(page, "view", "body").inner_text())
    part(page, "view", "sides").get_by_role("button", name="Unembedding").click()
    texts.append(part(page, "view", "details").inner_text())
    found = " ".join(texts).lower()
    assert [term for term in TERMS if term not in found] == []


def test_hostile_text_stays_text(opened: Page) -> None:
    page = opened
    before = int(part(page, "view", "body").get_attribute("data-drawn") or 0)
    page.locator("#anatomy-text textarea").fill(" ".join(SCRIPTS.values()))
    page.locator("#anatomy-run").click()
    expect(part(page, "view", "body")).to_have_attribute("data-drawn", str(before + 1), timeout=PATIENCE)
    stepping(page)
    assert page.locator("#anatomy-steps img, #anatomy-steps script").count() == 0
    assert page.evaluate("window.__pwn") is None


def test_one_head_in_numbers(france: Page) -> None:
    """The line of arithmetic is true, and another key is compared when it is pressed."""
    page = france
    stage = stepping(page)
    expect(stage.locator(".ana-worked")).to_have_text(re.compile("64 products"))
    stage.locator("tbody button").nth(1).click()
    expect(stage.locator("tr.picked")).to_contain_text("capital")
    worked = stage.locator(".ana-worked").inner_text().replace("−", "-")
    found: Any = re.search(r"= (-?[\d.]+) × ([\d.]+) = (-?[\d.]+);", worked)
    product, scale, score = map(float, found.groups())
    assert abs(product * scale - score) < 0.01
    stage.locator("select").select_option("8")
    expect(stage.locator(".ana-map canvas")).to_have_attribute("aria-label", re.compile("head 9"))
    part(page, "steps", "open").click()
    expect(part(page, "view", "details")).to_be_visible()
    expect(part(page, "view", "details")).to_contain_text("model.layers.0.self_attn · LlamaAttention")


def test_a_text_is_followed_by_buttons_and_keys(france: Page, open_page: OpenPage) -> None:
    page = france
    stage = stepping(page)
    part(page, "steps", "stages").select_option("0")
    stages = int(part(page, "steps", "range").get_attribute("max") or 0)
    assert stages == 1 + 30 * 4 + 1 + 1
    expect(stage).to_contain_text("The residual stream of “is” begins here")
    stage.focus()
    page.keyboard.press("ArrowRight")
    expect(stage).to_have_attribute("data-shown", "1")
    page.keyboard.press("ArrowRight")
    expect(stage).to_contain_text("softmax(Q Kᵀ / √d + mask) V")
    expect(stage).to_contain_text("64 products")
    page.keyboard.press("ArrowLeft")
    expect(stage).to_have_attribute("data-shown", "1")
    expect(stage.locator("table")).to_contain_text("standard deviation")
    part(page, "steps", "stages").select_option(label="105. Feed-forward network")
    expect(stage).to_contain_text("1,536 neurons")
    expect(stage.locator("tbody tr").first.locator("td").last).to_have_text(re.compile(r"\w"))
    part(page, "steps", "stages").select_option(str(stages - 1))
    expect(stage.locator("tbody tr").first).to_contain_text("Paris")
    part(page, "steps", "tokens").get_by_role("button", name="capital").click()
    expect(stage).to_contain_text("What follows “capital”")
    expect(part(page, "steps", "next")).to_be_disabled()
    part(page, "steps", "copy").click()
    expect(part(page, "steps", "copy")).to_have_text("Copied")
    again = open_page(page.evaluate("navigator.clipboard.readText()"))
    expect(part(again, "steps", "stage")).to_have_attribute("data-shown", str(stages - 1), timeout=PATIENCE)
    expect(again.get_by_role("tab", name="Step through", exact=True)).to_have_attribute(
        "aria-selected", "true"
    )
    again.close()
    part(page, "steps", "play").click()  # from the beginning
    expect(stage).to_have_attribute("data-shown", re.compile(r"^[1-9]\d?$"))
    part(page, "steps", "play").click()
    expect(part(page, "steps", "play")).to_have_text("▶ Play")


def test_it_fits_and_is_accessible(open_page: OpenPage) -> None:
    page = open_page("/anatomy?__theme=light")
    stage = stepping(page)
    check_accessible(page)
    part(page, "steps", "stages").select_option("4")
    expect(stage.locator(".ana-worked")).to_be_visible()
    page.get_by_role("tab", name="Structure", exact=True).click()
    check_looks(page)
    page.get_by_role("tab", name="Step through", exact=True).click()
    page.set_viewport_size({"width": 360, "height": 800})
    check_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
