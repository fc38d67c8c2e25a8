"""The tokenizers page: tokens as one types, by pointer and by keys, also of long and hostile texts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from components.models.registry import Registry
from components.models.tokenizers import Tokenizers
from tests.browser.conftest import OpenPage
from tests.browser.test_hostile_text import SCRIPTS
from tests.browser.tour import PATIENCE, check_both_themes, paste

MINILM, SMOLLM, MARIAN = "all-MiniLM-L6-v2", "SmolLM2-135M-Instruct", "translator-en-de"
LINK = "/tokenizers?text={text}&tokenizers={ids}"


@pytest.fixture(scope="module")
def opened(keep_open: Callable[[str], Page]) -> Page:
    """The page with three tokenizers, all of them there, loaded once."""
    page = keep_open(LINK.format(text="Hi there", ids=",".join((MINILM, SMOLLM, MARIAN))))
    expect(page.locator("#token-2-0")).to_be_attached(timeout=PATIENCE)
    expect(page.locator("html.up")).to_be_visible()  # what is not shown yet takes no focus
    return page


@pytest.fixture
def tokens(opened: Page) -> Page:
    """That page with the text that it was opened with."""
    text_box(opened).fill("Hi there")
    expect(opened.locator('.lane-stats[data-characters="8"]')).to_be_visible()
    expect(opened.locator("[id^=token-0-]")).to_have_count(4)
    return opened


def text_box(page: Page) -> Locator:
    return page.locator("#tokenizers-text textarea")


def shown(page: Page, lane: int) -> list[int]:
    """The ids of a lane's tokens, as a screen reader hears them."""
    labels = page.locator(f"[id^=token-{lane}-]").evaluate_all(
        "nodes => nodes.map(node => [Number(node.id.split('-')[2]), node.getAttribute('aria-label')])"
    )
    ids = {place: int(label.rpartition(", id ")[2].split(",")[0]) for place, label in labels}
    return [ids[place] for place in sorted(ids)]


def test_tokens_follow_what_is_typed(tokens: Page, registry: Registry) -> None:
    library = Tokenizers(registry)
    for text in ("Untokenizable, Café!", "नमस्ते 👩‍🚀 x", "a\n\tb  c\n"):
        text_box(tokens).fill(text)
        for lane, id in enumerate((MINILM, SMOLLM, MARIAN)):
            expected = [token.id for token in library.get(id).encode(text)]
            expect(tokens.locator(f"[id^=token-{lane}-]")).to_have_count(len(expected))
            assert shown(tokens, lane) == expected


@pytest.mark.parametrize(("price", "shown_as"), [("2", "{:.2g}"), ("150000", "{:.2g}"), ("5000000", "{:g}")])
def test_tokens_cost_what_is_paid_for_a_million(tokens: Page, price: str, shown_as: str) -> None:
    stats = tokens.locator(".lane-stats")
    expect(stats.locator("thead th")).to_have_count(9)
    counts = [int(cell) for cell in stats.locator("tbody td:nth-of-type(4)").all_inner_texts()]
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    tokens.on("request", note)
    tokens.locator("#tokenizers-price input").fill(price)
    expect(stats.locator("thead th").last).to_have_text("Cost")
    costs = stats.locator("tbody tr td:last-child").all_inner_texts()
    assert [float(cost.replace(",", "")) for cost in costs] == [
        float(shown_as.format(count * float(price) / 1e6)) for count in counts
    ]
    tokens.remove_listener("request", note)
    assert not [url for url in asked if "lanes" in url]
    tokens.locator("#tokenizers-price input").fill("")
    expect(stats.locator("thead th")).to_have_count(9)


def test_every_token_is_reached_by_keys_and_described(tokens: Page) -> None:
    box = tokens.locator(".lane-box")
    box.focus()
    heard = []
    for _ in range(4):
        tokens.keyboard.press("ArrowRight")
        current = tokens.locator(f"#{box.get_attribute('aria-activedescendant')}")
        expect(current).to_have_attribute("aria-selected", "true")
        expect(tokens.locator(".lane-live")).to_have_text(current.get_attribute("aria-label") or "")
        heard.append(tokens.locator(".lane-live").inner_text())
    assert heard == [
        f"[CLS], id 101, special, {MINILM}",
        f"Hi, id 7632, {MINILM}",
        f"there, id 2045, {MINILM}",
        f"[SEP], id 102, special, {MINILM}",
    ]
    tokens.keyboard.press("ArrowLeft")
    tokens.keyboard.press("ArrowDown")
    expect(tokens.locator(".lane-live")).to_have_text(f"space there, id 665, {SMOLLM}")
    expect(tokens.locator(".lane-details")).to_contain_text("characters 2 to 8")
    expect(tokens.locator(".lane-details")).to_contain_text("20 74 68 65 72 65")


def test_parts_of_a_character_are_shown_as_its_parts(tokens: Page) -> None:
    text_box(tokens).fill("👩‍🚀")
    expect(tokens.locator(".lane-whole")).to_have_text("👩‍🚀")
    tokens.locator("#token-1-1").click(force=True)
    expect(tokens.locator(".lane-details")).to_contain_text("part 2 of")


def test_a_long_text_is_whole_but_only_what_is_seen_is_in_the_page(tokens: Page) -> None:
    long = "Fifty thousand words would not fit on this screen. " * 1960
    assert 99_000 < len(long) < 100_000
    paste(text_box(tokens), long)
    expect(tokens.locator(".lane-stats")).to_contain_text("19,602")
    assert tokens.locator(".lane-token").count() < 2_000
    box = tokens.locator(".lane-box")
    box.focus()
    tokens.keyboard.press("End")
    tokens.keyboard.press("End")
    expect(tokens.locator("#token-0-19601")).to_be_in_viewport()
    assert tokens.locator(".lane-token").count() < 2_000
    paste(text_box(tokens), long * 2)
    expect(tokens.locator(".lane-said")).to_contain_text("at most 100,000")


def test_hostile_text_stays_text(tokens: Page) -> None:
    for text in SCRIPTS.values():
        text_box(tokens).fill(text)
        expect(tokens.locator(f'.lane-stats[data-characters="{len(text)}"]')).to_be_visible()
        for tab in ("Step by step", "Code and API", "Three families"):
            tokens.get_by_role("tab", name=tab).click()
        expect(tokens.locator("#tokenizers-families table")).to_be_visible()
        assert tokens.evaluate("window.__pwn") is None
        assert tokens.locator("#tokenizers-lanes script, .token-figure img, .token-figure svg").count() == 0


def test_a_link_shows_the_same_elsewhere(tokens: Page, open_page: OpenPage) -> None:
    text_box(tokens).fill("Two  spaces & a #hash")
    expect(tokens.locator("#token-1-5")).to_be_attached()
    tokens.locator("#tokenizers-copy-link").click()
    expect(tokens.locator("#tokenizers-copy-link")).to_have_text("Link copied")
    link = tokens.evaluate("navigator.clipboard.readText()")
    assert parse_qs(urlsplit(link).query)["text"] == ["Two  spaces & a #hash"]
    other = open_page(link, elsewhere=True)
    expect(other.locator("#token-2-5")).to_be_attached()
    assert [shown(other, lane) for lane in range(3)] == [shown(tokens, lane) for lane in range(3)]


def test_every_tab_is_accessible(open_page: OpenPage) -> None:
    page = open_page(LINK.format(text="a 👩‍🚀 b", ids=f"{MINILM},{SMOLLM}"))
    expect(page.locator("#token-1-0")).to_be_attached(timeout=PATIENCE)
    check_both_themes(page)
    for tab, figure in (
        ("Three families", "#tokenizers-families table"),
        ("Step by step", "#tokenizers-steps li"),
        ("Tensors", "#tokenizers-tensors table"),
        ("Train your own", "#tokenizers-train"),
        ("Under a model", "#tokenizers-predict"),
        ("Code and API", "#tokenizers-code"),
    ):
        page.get_by_role("tab", name=tab).click()
        expect(page.locator(figure).first).to_be_visible()
        check_both_themes(page, within="#tokenizers-tabs")


def test_another_tokenizer_under_a_model(tokens: Page) -> None:
    tokens.get_by_role("tab", name="Under a model").click()
    tokens.locator("#tokenizers-predict").click()
    columns = tokens.locator("#tokenizers-transplant .column")
    expect(columns).to_have_count(3, timeout=PATIENCE)
    expect(columns.nth(1)).to_contain_text("[unused")


def test_a_trained_tokenizer_joins_the_others(tokens: Page, tmp_path: Path) -> None:
    tokens.get_by_role("tab", name="Train your own").click()
    tokens.locator("#tokenizers-corpus textarea").fill(
        "low lower lowest new newer newest wide wider widest " * 20
    )
    tokens.locator("#tokenizers-watch textarea, #tokenizers-watch input").first.fill("newest")
    tokens.locator("#tokenizers-train").click()
    expect(tokens.locator("#tokenizers-trained")).to_contain_text("merge by merge")
    expect(tokens.locator(".lane-stats")).to_contain_text("trained:")
    with tokens.expect_download() as download:
        tokens.locator("#tokenizers-download").click()
    saved = tmp_path / "tokenizer.json"
    download.value.save_as(saved)
    vocabulary = json.loads(saved.read_text())["model"]["vocab"]
    assert "Ġlow" in vocabulary


def test_an_unknown_tokenizer_is_said_and_the_others_stay(page: Page) -> None:
    page.goto(LINK.format(text="Hi", ids=f"{MINILM},nobody/nothing"))
    expect(page.locator("#token-0-1")).to_be_attached(timeout=PATIENCE)
    expect(page.locator(".lane-stats")).to_contain_text("cannot be reached")


def test_task_pages_lead_here_with_their_text_and_model(page: Page) -> None:
    page.goto("/text-classification")
    with page.expect_popup() as popup:
        page.locator("#text-classification-tokens").click()
    expect(popup.value.locator("#token-0-1")).to_be_attached(timeout=PATIENCE)
    expect(popup.value.locator(".lane-stats")).to_contain_text("sentiment")
