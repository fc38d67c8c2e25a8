"""The attention page: what is drawn is what the interfaces tell, by pointer, by keys, and taken home."""

from __future__ import annotations

import io
import json
import re
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from demos.attention import EXAMPLES
from tests.browser.conftest import OpenPage
from tests.browser.test_hostile_text import SCRIPTS
from tests.browser.tour import PATIENCE, check_both_themes
from tests.server import running_app

CAT = "The cat sat on the mat because it was tired."
HALF_A_PERCENT = 0.005


def part(page: Page, name: str) -> Any:
    return page.locator(f'[data-part="{name}"]')


def see(page: Page, **query: object) -> Page:
    page.goto(f"/attention?{urlencode({'run': 1, **query})}")
    drawn(page, 0)
    expect(page.locator("html.up")).to_be_attached()  # nothing takes the focus before the page is shown
    expect(part(page, "stage")).to_have_attribute("aria-busy", "false")
    return page


def drawn(page: Page, before: int) -> int:
    """Waits until more has been drawn than before."""
    page.wait_for_function(
        "before => Number(document.querySelector('[data-part=stage]')?.dataset.drawn ?? 0) > before",
        arg=before,
        timeout=PATIENCE,
    )
    return so_far(page)


def so_far(page: Page) -> int:
    return int(part(page, "stage").get_attribute("data-drawn") or 0)


def taken(page: Page, what: str) -> bytes:
    with page.expect_download() as download:
        page.locator(f'[data-attention-export="{what}"]').click()
    return Path(download.value.path()).read_bytes()


def told(app_url: str, **payload: object) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{app_url}/v1/attention", json.dumps(payload).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


@pytest.fixture(scope="module", autouse=True)
def fetched(app_url: str) -> None:
    """The page looks by itself only where nothing has to be fetched for it."""
    told(app_url, text=CAT)


@pytest.fixture(scope="module")
def opened(keep_open: Callable[[str], Page]) -> Page:
    """The page as its address alone opens it; several tests look at it and go on from there."""
    page = keep_open("/attention")
    drawn(page, 0)
    return page


def test_opens_with_an_example_that_is_true(opened: Page) -> None:
    expect(part(opened, "title")).to_have_text("Layer 4, head 2")
    expect(part(opened, "details").locator("p").first).to_have_text("“it” reads most from")
    expect(part(opened, "details").locator("tr").first).to_contain_text(re.compile(r"cat\s*49 %"))


def test_the_picture_is_as_wide_as_its_place(opened: Page) -> None:
    widths = [part(opened, name).bounding_box()["width"] for name in ("canvas", "stage")]
    assert widths[0] > 0.9 * widths[1]


@pytest.mark.parametrize("index", range(len(EXAMPLES)))
def test_examples_show_what_the_interfaces_answer(opened: Page, app_url: str, index: int) -> None:
    page = opened
    before = so_far(page)
    (text, pair, model), view = list(EXAMPLES.values())[index]
    page.locator(f"#attention-example-{index}").click()
    before = drawn(page, before)
    expect(part(page, "stage")).to_have_attribute("aria-busy", "false")
    for name, value in (("special", True), ("words", False)):
        if part(page, name).is_checked() != value:
            part(page, name).set_checked(value)
            before = drawn(page, before)
    part(page, "matrix").click()
    before = drawn(page, before)
    part(page, "head").select_option("0")
    drawn(page, before)
    page.wait_for_function(
        "document.querySelector('[data-part=title]')?.textContent.endsWith('head 1')", timeout=PATIENCE
    )
    seen = json.loads(taken(page, "json"))
    api = told(app_url, text=text, text_pair=pair, model=model, layer=view["layer"], head=0)
    assert seen["columns"] == api["tokens"]
    assert seen["rows"] == api["queries"]
    assert np.abs(np.array(seen["weights"]) - np.array(api["weights"])).max() <= HALF_A_PERCENT


def test_every_picture_can_be_taken_home(page: Page) -> None:
    see(page, text=CAT, view="matrix", layer=2)
    array = np.load(io.BytesIO(taken(page, "npy")))
    assert array.shape == (12, 13, 13)
    assert array.sum(axis=-1) == pytest.approx(1, abs=1e-3)
    for view in ("lines", "matrix", "heads"):
        before = so_far(page)
        part(page, view).click()
        drawn(page, before - (view == "matrix"))
        assert taken(page, "png").startswith(b"\x89PNG")
        drawing = ElementTree.fromstring(taken(page, "svg"))  # noqa: S314 - our own
        texts = [node.text for node in drawing.iter("{http://www.w3.org/2000/svg}text")]
        assert ("cat" in texts) == (view != "heads")


def test_special_tokens_and_parts_of_words_can_be_left_out(page: Page) -> None:
    before = so_far(see(page, text="Untokenizable cats.", view="matrix", words=1, special=0))
    seen = json.loads(taken(page, "json"))
    assert seen["rows"] == seen["columns"] == ["Untokenizable", "cats", "."]
    assert np.array(seen["weights"]).sum(axis=1) == pytest.approx(1, abs=3 * HALF_A_PERCENT)
    part(page, "rollout").check()
    before = drawn(page, before)
    rolled = json.loads(taken(page, "json"))
    assert rolled["rollout"]
    assert np.array(rolled["weights"]).sum(axis=1) == pytest.approx(1, abs=3 * HALF_A_PERCENT)
    assert np.diag(rolled["weights"]).min() > np.diag(seen["weights"]).min()


def test_keys_reach_every_pair_and_every_head_and_every_view_is_accessible(page: Page) -> None:
    see(page, text=CAT, view="matrix", layer=3, head=1)
    canvas = part(page, "canvas")
    canvas.focus()
    for key in ["ArrowDown"] * 9 + ["ArrowRight"] * 3:
        page.keyboard.press(key)
    expect(part(page, "live")).to_have_text("“it” to “cat”: 49 %")
    expect(part(page, "vectors")).to_contain_text("Their sum times 0.177 is the score")
    expect(part(page, "vectors").locator("canvas").first).to_be_visible()
    check_both_themes(page)
    before = so_far(page)
    part(page, "heads").click()
    before = drawn(page, before)
    check_both_themes(page)
    before = so_far(page)
    canvas.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    expect(part(page, "live")).to_contain_text("Layer 3, head 3")
    page.keyboard.press("Enter")
    drawn(page, before)
    expect(part(page, "title")).to_have_text("Layer 3, head 3")


def test_a_pointer_picks_a_token(page: Page) -> None:
    see(page, text=CAT, view="lines", layer=3, head=1)
    row = int(part(page, "stage").get_attribute("data-row") or 0)  # its height
    part(page, "canvas").click(position={"x": 30, "y": 28 + row * 8 + row / 2})
    expect(part(page, "details").locator("p").first).to_have_text("“it” reads most from")


def test_a_second_run_with_another_token_is_laid_over_the_first(page: Page) -> None:
    before = so_far(see(page, text=CAT, view="matrix", layer=3, head=1))
    part(page, "canvas").focus()
    for key in ["ArrowDown"] * 9 + ["ArrowRight"] * 3:
        page.keyboard.press(key)
    expect(part(page, "edited")).to_have_text("cat")
    part(page, "token").fill("unbelievable hippopotamus")
    part(page, "replace").click()
    expect(part(page, "said")).to_contain_text("Write a single token")
    part(page, "token").fill("dog")
    part(page, "replace").click()
    drawn(page, before)
    expect(part(page, "said")).to_have_text("The second run has “dog” in the place of “cat”.")
    changed = json.loads(taken(page, "json"))
    assert changed["columns"][2] == "dog"
    assert np.abs(np.array(changed["weights"]).sum(axis=1)).max() < 3 * HALF_A_PERCENT


def test_a_link_shows_the_same_elsewhere(open_page: OpenPage) -> None:
    here = see(open_page(), text=CAT, view="matrix", layer=1, head=8, special=0)
    seen = json.loads(taken(here, "json"))
    part(here, "copy").click()
    expect(part(here, "copy")).to_have_text("Link copied")
    there = open_page(elsewhere=True)
    there.goto(here.evaluate("navigator.clipboard.readText()"))
    drawn(there, 0)
    assert json.loads(taken(there, "json")) == seen


def test_hostile_text_stays_text(page: Page) -> None:
    text = " ".join(SCRIPTS.values())
    see(page, text=text, text_pair=text, view="matrix")
    canvas = part(page, "canvas")
    canvas.focus()
    for _ in range(8):
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
    expect(part(page, "details").locator("tr").first).to_be_visible()
    ElementTree.fromstring(taken(page, "svg"))  # noqa: S314 - our own
    assert page.evaluate("window.__pwn === undefined")


def test_a_text_without_a_model_that_reads_it_says_why(page: Page) -> None:
    page.goto(f"/attention?{urlencode({'run': 1, 'text': CAT, 'model': 'nobody/nothing'})}")
    expect(part(page, "said").locator(".lane-problem")).to_contain_text("nobody/nothing", timeout=PATIENCE)


def test_a_visitor_of_a_bare_host_sees_a_picture_at_once(open_page: OpenPage, tmp_path: Path) -> None:
    """No model on the host, none within reach: what is stored is drawn, and every layer of it can be
    opened."""
    with running_app("--cache-dir", str(tmp_path)) as url:
        page = open_page("/attention", base_url=url, origins=(url,))
        expect(part(page, "stage")).to_have_attribute("data-drawn", re.compile(r"\d"))
        expect(part(page, "facts").locator(".badge")).to_have_text("Stored answer")
        assert part(page, "canvas").bounding_box()["height"] > 200
        expect(part(page, "title")).to_have_text("Layer 4, head 2")
        part(page, "layer").fill("5")
        expect(part(page, "title")).to_have_text("Layer 6, head 2")
        assert not list(tmp_path.rglob("*.safetensors"))
