"""What every task page does for a visitor, on the running app with real weights."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from components.models.catalog import load_catalog
from components.ui.inspection import TITLES
from demos import examples
from tests.browser.conftest import OpenPage
from tests.browser.tour import (
    PATIENCE,
    STALE,
    TASK_PAGES,
    Visit,
    another_value,
    brief,
    check_still,
    stale_label,
    text_boxes,
)

CATALOG = load_catalog()


def models(app_url: str) -> dict[str, dict[str, Any]]:
    with urllib.request.urlopen(f"{app_url}/v1/models") as response:
        return {model["id"]: model for model in json.load(response)["models"]}


def test_opens_with_a_stored_example(visit: Visit) -> None:
    first = examples.load(visit.spec.task)[0]
    for name in visit.spec.inputs:
        expect(visit.box(name)).to_have_value(visit.shown(name, first.payload.get(name, "")))
    expect(visit.badge).to_be_visible()
    assert visit.part("result").inner_text().strip()
    assert visit.answer() == first.answer
    for tab in ("Code", "JSON", "API"):
        assert visit.copied(tab) == visit.drawer(tab)


def test_an_answer_leads_to_what_looks_inside_it(visit: Visit, open_page: OpenPage) -> None:
    ways = visit.part("status").locator(".ways a")
    if visit.spec.inspection is None:
        expect(ways).to_have_count(0)
        return
    expect(ways).to_have_count(len(TITLES))
    example = examples.load(visit.spec.task)[0]
    seen = visit.spec.inspection(example.payload, example.answer)
    link = ways.nth(0).get_attribute("href") or ""
    there = open_page()
    there.goto(f"/{visit.spec.slug}/../{link}")
    expect(there.locator("#attention-text textarea")).to_have_value(seen.text)
    expect(there.locator("#attention-text_pair textarea")).to_have_value(seen.pair)
    expect(there.locator("[data-part=stage]")).to_have_attribute("data-drawn", "1", timeout=PATIENCE)
    expect(there.locator("[data-part=facts]")).to_contain_text(example.answer["model"])
    link = ways.nth(1).get_attribute("href") or ""
    asked = parse_qs(urlsplit(link).query, keep_blank_values=True)
    assert asked["task"] == [visit.spec.task.name]
    assert asked["target"] == [seen.target]
    assert asked["model"] == [example.answer["model"]]


def test_examples_answer_at_once(visit: Visit) -> None:
    for index, example in reversed(list(enumerate(examples.load(visit.spec.task)))):
        visit.part(f"example-{index}").click()
        for name in visit.spec.inputs:
            expect(visit.box(name)).to_have_value(visit.shown(name, example.payload.get(name, "")))
        expect(visit.badge).to_be_visible()
        expect(visit.code("JSON")).to_have_text(json.dumps(example.answer, indent=2, ensure_ascii=False))
        assert visit.answer() == example.answer


def test_run_answers_with_model_device_time_and_tokens_and_nothing_jumps(visit: Visit) -> None:
    visit.page.evaluate("shifts.length = 0")
    visit.run()
    assert visit.settled() == "answer"
    check_still(visit.page)
    assert len(visit.page.evaluate("widths")) == 1
    checkpoint = CATALOG.default(visit.spec.task.name, "embedded")
    status = visit.part("status")
    expect(status).to_contain_text(checkpoint.title)
    expect(status).to_contain_text(re.compile(r"\b(CPU|cuda|mps)"))
    expect(status).to_contain_text(re.compile(r"\d+ ms|\d+\.\d s"))
    expect(status).to_contain_text(re.compile(r"[\d,]+ of [\d,]+ tokens"))
    answer = visit.answer()
    assert answer["model"] == checkpoint.id
    assert 0 < answer["tokens_used"] <= answer["token_limit"] == checkpoint.token_limit
    assert answer["seconds"] > 0
    api = visit.copied("API")  # what Copy gives after the value has changed
    assert checkpoint.id in api
    assert api == visit.drawer("API")


def test_options_reach_the_model_and_the_calls_shown(visit: Visit) -> None:
    if not visit.options:
        pytest.skip("this task has no options")
    chosen = {field: value for field in visit.options if (value := another_value(field)) is not None}
    chosen.update(
        {field: brief(visit.spec)[field.name] for field in chosen if field.name in brief(visit.spec)}
    )
    for field, value in chosen.items():
        visit.set_option(field, value)
    visit.run()
    assert visit.settled() == "answer", visit.problem.inner_text()
    shown = {field.name: json.dumps(value) for field, value in chosen.items()}

    def missing() -> dict[str, str]:
        """Options that the drawer, which is filled after the answer, does not show yet."""
        calls = visit.drawer("API")
        return {
            name: value
            for name, value in shown.items()
            if not re.search(rf'"{name}": {re.escape(value)}(\.0)?[,}}]', calls)
        }

    deadline = time.monotonic() + PATIENCE / 1000
    while left := missing():
        assert time.monotonic() < deadline, left


def test_an_answer_says_so_as_soon_as_something_else_is_asked(visit: Visit) -> None:
    page, result = visit.page, f"#{visit.spec.slug}-result"
    name = text_boxes(visit.spec)[0]
    visit.box(name).fill("not the example")
    visit.part("example-0").click()  # as the page opens
    opening = examples.load(visit.spec.task)[0].payload
    expect(visit.box(name)).to_have_value(visit.shown(name, opening.get(name, "")))
    expect(page.locator(f"{result}[data-stale]")).to_have_count(0)
    assert stale_label(page, result) == ""
    first = visit.box(name).input_value()
    visit.box(name).fill(first + " changed" if first else "changed")
    expect(page.locator(f"{result}[data-stale]")).to_be_visible()
    assert STALE.match(stale_label(page, result))
    opacity = page.locator(f"{result} .answered").evaluate("(one) => getComputedStyle(one).opacity")
    assert float(opacity) < 0.7
    visit.box(name).fill(first)  # asked again, the answer is its answer again
    expect(page.locator(f"{result}[data-stale]")).to_have_count(0)
    if options := [field for field in visit.options if field.kind in ("int", "float", "bool")]:
        shown = visit.option(options[0])
        other = another_value(options[0])
        visit.set_option(options[0], options[0].default if str(shown) == str(other) else other)
        expect(page.locator(result)).to_have_attribute("data-stale", re.compile("^Answer with other options"))


def test_by_keyboard_and_ear_alone(visit: Visit) -> None:
    """Skips to the content, runs, hears the answer, opens the code."""
    page = visit.page
    drawer = visit.part("drawer")
    unfolded = page.locator(':is([id$="-options"], [id$="-drawer"]) > button.open')
    while unfolded.count():
        left = unfolded.count() - 1
        unfolded.first.click()
        expect(unfolded).to_have_count(left)
    page.evaluate(AS_OPENED)
    expect(visit.part("status")).to_have_role("status")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    box = visit.box(text_boxes(visit.spec)[0])
    reach(box, 10)
    expect(box).to_be_focused()
    visit.run(lambda: page.keyboard.press("Control+Enter"))
    assert visit.settled() == "answer"
    reach(visit.part("run"), 60)
    visit.run(lambda: page.keyboard.press("Enter"))
    assert visit.settled() == "answer"
    live = page.locator("#tour-live")
    expect(live).to_have_text(re.compile(r"^Answer: \S"), timeout=PATIENCE)
    assert live.get_attribute("role") == "status"
    reach(drawer.locator("button").first, 60)
    page.keyboard.press("Enter")
    expect(drawer.get_by_role("tab", name="Code", exact=True)).to_be_visible()


def test_copied_link_restores_the_page_elsewhere(visit: Visit, open_page: OpenPage) -> None:
    here, spec = visit, visit.spec
    for one in here.options:
        if one.name in brief(spec):
            here.set_option(one, brief(spec)[one.name])
    typed = {name: f"{here.box(name).input_value()} Ünï 東京 & <b> #?=%" for name in text_boxes(spec)}
    for name, text in typed.items():
        here.box(name).fill(text)
    left = {*brief(spec), "mode"}  # earlier turns are not for the mode plain
    field = next((field for field in here.options if field.name not in left), None)
    if field is not None:
        here.set_option(field, another_value(field))
    default = CATALOG.default(spec.task.name, "embedded")
    others = [checkpoint for checkpoint in CATALOG.for_task(spec.task.name) if checkpoint.id != default.id]
    model = next((checkpoint for checkpoint in others if checkpoint.embedded), default)
    here.pick_model(model.title)
    here.part("copy-link").click()
    expect(here.part("copy-link")).to_have_text("Link copied")
    link = here.page.evaluate("navigator.clipboard.readText()")

    page = open_page(elsewhere=True)
    there = Visit(page, spec)
    there.run(lambda: page.goto(link))
    assert there.settled() == "answer", there.problem.inner_text()
    for name, text in typed.items():
        expect(there.box(name)).to_have_value(text)
    expect(there.box("model")).to_have_value(re.compile(re.escape(model.title)))
    if field is not None:
        assert there.option(field) == here.option(field)
    assert there.answer()["model"] == model.id


# Tab goes on from the document's beginning, and nothing has been read out.
AS_OPENED = """() => {
  const first = document.createElement("button");
  document.body.prepend(first);
  first.focus();
  first.remove();
  document.querySelector("#tour-live").textContent = "";
}"""


def reach(one: Locator, most: int) -> None:
    """Presses Tab, up to so many times, until an element has the focus."""
    for _ in range(most):
        if one.evaluate("(one) => one === document.activeElement"):
            break
        one.page.keyboard.press("Tab")


# Long before all that it was asked for could be written.
FREED = """async ([url, id]) => {
  const { models } = await (await fetch(url)).json();
  return !models.find((one) => one.id === id).leases;
}"""


def test_stop_frees_the_model_at_once(page: Page, app_url: str) -> None:
    spec = next(spec for spec in TASK_PAGES if spec.task.name == "text_generation")
    visit = Visit(page, spec).open(prompt="One, two, three, four, five,", mode="plain", max_new_tokens=512)
    model = CATALOG.default(spec.task.name, "embedded").id
    visit.part("run").click()
    result = visit.part("result")
    expect(result).to_contain_text(re.compile(r"five,(\s*\w+\W+){3}"), timeout=PATIENCE)
    assert models(app_url)[model]["leases"] == 1
    visit.part("stop-run").click()
    page.wait_for_function(FREED, arg=[f"{app_url}/v1/models", model], polling=200)
    expect(visit.part("status")).to_contain_text("Stopped")
    written = result.inner_text()
    visit.box("prompt").fill("Seven, eight, nine,")
    visit.set_option(next(field for field in visit.options if field.name == "max_new_tokens"), 8)
    visit.run()
    assert visit.settled() == "answer"
    assert result.inner_text() != written
