"""The layers page: an example that is run, its figures, and the files they can be saved as."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from components.insight.layers import TASK
from demos import examples
from demos.layers import SLUG
from tests.browser.conftest import OpenPage
from tests.browser.tour import ALL_RULES, COLOURS, LAYOUT, PATIENCE, check_accessible

SVG = "{http://www.w3.org/2000/svg}"
DECODER, ENCODER, TRANSLATOR = examples.load(TASK)


def part(page: Page, name: str) -> Locator:
    return page.locator(f"#{SLUG}-{name}")


def figure(page: Page, name: str) -> Locator:
    return page.locator(f'figure.drawn[data-name="layers-{name}"]')


def drawn(page: Page, name: str) -> Locator:
    return part(page, name).locator(".js-plotly-plot")


def ran(page: Page) -> None:
    expect(part(page, "status").locator(".badge")).to_have_count(0, timeout=PATIENCE)
    expect(part(page, "status").locator(".fact").first).to_be_visible(timeout=PATIENCE)
    expect(part(page, "run")).to_be_enabled(timeout=PATIENCE)


def run_example(page: Page, index: int) -> None:
    """Waits for its own result: the page may hold that of another run."""
    answer = part(page, "result").locator(".answered")
    earlier = str(answer.get_attribute("data-answer"))
    part(page, f"example-{index}").click()
    expect(answer).not_to_have_attribute("data-answer", earlier, timeout=PATIENCE)
    ran(page)


def saved(page: Page, name: str, format: str) -> bytes:
    with page.expect_download() as download:
        figure(page, name).locator(f'[data-export="{format}"]').click()
    assert download.value.suggested_filename == f"layers-{name}.{format}"
    return Path(download.value.path()).read_bytes()


@pytest.fixture(scope="module")
def opened(keep_open: Callable[[str], Page]) -> Page:
    """The page, loaded once: the tests that take it run its examples one after the other."""
    page = keep_open(f"/{SLUG}")
    expect(part(page, "status").locator(".badge")).to_be_visible()
    return page


def test_opens_with_a_stored_result_that_fits_reads_and_is_saved_in_its_colours(open_page: OpenPage) -> None:
    page = open_page(f"/{SLUG}")
    expect(part(page, "status").locator(".badge")).to_be_visible()
    for name in ("as-words", "kept"):
        expect(figure(page, name).locator("svg")).to_be_attached()
    for name, rows in (("similarity", 31), ("lengths", 6)):
        expect(drawn(page, name)).to_have_attribute("aria-label", re.compile("layer"))
        expect(part(page, name).locator("tbody tr")).to_have_count(rows)
    looks: tuple[tuple[Literal["light", "dark"], Mapping[str, object]], ...] = (
        ("light", ALL_RULES),
        ("dark", COLOURS),
    )
    papers = []
    for colours, rules in looks:
        page.emulate_media(color_scheme=colours)
        check_accessible(page, rules)
        expect(figure(page, "as-words").locator("svg")).to_be_visible()
        first = next(iter(ElementTree.fromstring(saved(page, "as-words", "svg"))))  # noqa: S314 - our own
        papers.append(sum(map(int, first.attrib["fill"].removeprefix("rgb(").rstrip(")").split(","))))
    assert papers[0] > 600
    assert papers[1] < 150
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    check_accessible(page, LAYOUT)


def test_the_last_layer_says_the_answer(opened: Page) -> None:
    page = opened
    run_example(page, 0)
    numbers = json.loads(saved(page, "as-words", "json"))
    assert numbers["tokens"] == DECODER.answer["tokens"]
    assert numbers["lens"][-1][-1][0] == " Paris"
    top = figure(page, "as-words").locator("text.layer-word").nth(30 * len(numbers["tokens"]) + 4)
    expect(top).to_contain_text("Paris")
    table = page.locator(".layer-table")
    table.locator("summary").click()
    expect(table.locator("tbody tr").first).to_contain_text("Paris")


def test_an_encoder_has_no_words_and_says_why(opened: Page) -> None:
    page = opened
    run_example(page, 1)
    expect(part(page, "result")).to_contain_text("no head that predicts tokens")
    expect(figure(page, "as-words")).to_have_count(0)
    expect(part(page, "similarity").locator("tbody tr")).to_have_count(7)
    expect(drawn(page, "similarity")).to_be_visible()


@pytest.fixture(scope="module")
def translator(opened: Page) -> Page:
    """The page with the third example's result."""
    run_example(opened, 2)
    return opened


def test_the_numbers_of_a_figure_can_be_saved(translator: Page) -> None:
    page = translator
    numbers = json.loads(saved(page, "as-words", "json"))
    assert numbers["tokens"][1:] == [" Das", " Haus", " ist", " klein", "."]
    assert numbers["lens"][-1][-1][0] == "</s>"
    array = np.load(io.BytesIO(saved(page, "as-words", "npy")))
    assert array.dtype == np.float32
    np.testing.assert_allclose(array, np.array(numbers["values"]), atol=1e-6)


# Eight downloads with those above: of more than ten within a second, Chromium drops the eleventh.
@pytest.mark.parametrize("name", ["as-words", "kept"])
def test_a_figure_can_be_saved_as_a_picture_and_as_numbers(translator: Page, name: str) -> None:
    page = translator
    picture = ElementTree.fromstring(saved(page, name, "svg"))  # noqa: S314 - our own
    assert picture.tag == f"{SVG}svg"
    assert "var(" not in ElementTree.tostring(picture, "unicode")
    assert len(list(picture.iter(f"{SVG}text"))) > 3
    assert all("class" not in element.attrib for element in picture.iter())
    assert saved(page, name, "png").startswith(b"\x89PNG\r\n\x1a\n")
    assert np.load(io.BytesIO(saved(page, name, "npy"))).ndim == 2


def test_a_link_brings_back_text_and_model_and_runs(translator: Page, open_page: OpenPage) -> None:
    part(translator, "text").locator("textarea").fill("The garden is <b>large</b>.")
    part(translator, "copy-link").click()
    expect(part(translator, "copy-link")).to_have_text("Link copied")
    link = translator.evaluate("navigator.clipboard.readText()")
    assert parse_qs(urlsplit(link).query) == {
        "text": ["The garden is <b>large</b>."],
        "model": ["translator-en-de"],
        "run": ["1"],
    }
    page = open_page(link)
    ran(page)
    expect(part(page, "text").locator("textarea")).to_have_value("The garden is <b>large</b>.")
    assert json.loads(saved(page, "as-words", "json"))["tokens"][0] == "<pad>"
    for name in ("similarity", "lengths"):
        button = drawn(page, name).get_by_role("button", name="Download plot as a PNG")
        with page.expect_download() as download:
            button.click()
        assert download.value.suggested_filename == f"layers-{name}.png"


def test_what_is_wrong_is_said(opened: Page) -> None:
    page = opened
    part(page, "text").locator("textarea").fill("   ")
    part(page, "run").click()
    expect(part(page, "result").locator(".problem")).to_contain_text("write some text")
    expect(part(page, "similarity")).to_have_count(0)
    expect(part(page, "run")).to_be_enabled()


def test_a_run_can_be_stopped(page: Page) -> None:
    page.goto(f"/{SLUG}")
    part(page, "text").locator("textarea").fill("one two three four " * 120)
    part(page, "run").click()
    expect(part(page, "status").locator("progress[value]")).to_be_visible(timeout=PATIENCE)
    part(page, "stop").click()
    expect(part(page, "status")).to_contain_text("Stopped", timeout=PATIENCE)
    expect(part(page, "run")).to_be_enabled()
    expect(figure(page, "as-words").locator("svg")).to_be_visible()
