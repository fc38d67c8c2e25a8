"""Text that wants to be more than text, in every box and every query parameter of every page."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from components.tasks.fields import option_fields
from components.ui.page import TaskPage
from demos import PAGES
from tests.browser.tour import TASK_PAGES, Visit, brief
from tests.server import answers

SCRIPTS = {
    "script": "<script>window.__pwn=1</script>",
    "closing script": "</script><script>window.__pwn=1</script>",
    "image": "<img src=x onerror=window.__pwn=1>",
    "svg": "<svg/onload=window.__pwn=1>",
    "attribute": '" autofocus onfocus=window.__pwn=1 x="',
    "template literal": "${window.__pwn=1}",
    "handlebars": "{{window.__pwn=1}} {{{value}}} {{#each this}}x{{/each}}",
    "escaped": r"\x3cimg src\x3dx onerror\x3dwindow.__pwn\x3d1\x3e `${Object.assign(window,{__pwn:1})}`",
    "link": "[x](javascript:window.__pwn=1) javascript:window.__pwn=1",
}
TEXTS = {
    **SCRIPTS,
    "null": "a\0b",
    "right to left": "\u202eשלום\u202c مرحبا \u200f<b>",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301\u0323",
    "blank": " \t\n ",
    "empty": "",
    "megabyte": "word " * 200_000,
}
# Playwright's own typing can't carry it.
TYPE_HALF_A_CHARACTER = r"""box => {
  box.value = "half \ud83d of a character";
  box.dispatchEvent(new Event("input", { bubbles: true }));
}"""

every_box = pytest.mark.parametrize(
    ("spec", "name"),
    [(spec, name) for spec in TASK_PAGES for name in spec.inputs],
    ids=lambda value: value if isinstance(value, str) else value.slug,
)


def nothing_ran(page: Page) -> None:
    assert page.evaluate("window.__pwn") is None


@every_box
def test_typed(page: Page, app_url: str, spec: TaskPage, name: str) -> None:
    visit = Visit(page, spec).open(**brief(spec))
    for tab in ("Code", "JSON", "API"):
        visit.drawer(tab)
    for label, text in TEXTS.items():
        visit.box(name).fill(text)
        visit.run()
        outcome = visit.settled()
        assert label not in ("null", "blank", "empty", "megabyte") or outcome == "problem", label
        nothing_ran(page)
        expect(visit.part("result").locator("script, img, svg, iframe")).to_have_count(0)
    visit.box(name).evaluate(TYPE_HALF_A_CHARACTER)
    visit.run()
    assert visit.settled() == "problem"
    nothing_ran(page)
    assert answers(f"{app_url}/health")


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_shown_as_it_was_typed(page: Page, text: str) -> None:
    """Escaping must not eat text either; the ranking shows the visitor's own sentences."""
    spec = next(spec for spec in TASK_PAGES if spec.task.name == "sentence_similarity")
    visit = Visit(page, spec).open(source="Some text", sentences=f"first\n{text}")
    visit.run()
    assert visit.settled() == "answer"
    expect(visit.part("result")).to_contain_text(text)
    nothing_ran(page)


def query_names(spec: TaskPage) -> list[str]:
    return [*spec.inputs, "model", *(field.name for field in option_fields(spec.task.options))]


@pytest.mark.parametrize("spec", TASK_PAGES, ids=lambda spec: spec.slug)
@pytest.mark.parametrize(
    "encoded",
    [
        *(quote(text) for text in SCRIPTS.values()),
        "%00",
        "%ED%A0%BD",
        "%FF%FE",
        quote("\u202eשלום"),
        "x" * 30_000,
    ],
    ids=[*SCRIPTS, "null", "surrogate", "not utf-8", "right to left", "long"],
)
def test_in_the_address(page: Page, app_url: str, spec: TaskPage, encoded: str) -> None:
    """All fields at once, and each alone with the page left to run by itself."""
    names = query_names(spec)
    page.goto(
        f"/{spec.slug}?" + "&".join(f"{name}={encoded}" for name in (*names, "__theme", "embed", "unknown"))
    )
    expect(page.locator(f"#{spec.slug}-run")).to_be_visible()
    expect(page.locator(f"#{spec.slug}-status")).not_to_be_empty()
    nothing_ran(page)
    visit = Visit(page, spec)
    visit.run(
        lambda: page.goto(f"/{spec.slug}?run=1&" + "&".join(f"{name}={encoded}" for name in spec.inputs))
    )
    visit.settled()
    nothing_ran(page)
    assert answers(f"{app_url}/health")


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_in_the_address_of_a_page_without_fields(page: Page, text: str) -> None:
    for slug in ("", *(spec.slug for spec in PAGES if not isinstance(spec, TaskPage))):
        page.goto(f"/{slug}?text={quote(text)}&model={quote(text)}&__theme={quote(text)}#{quote(text)}")
        expect(page.locator("#tour-header")).to_be_visible()
        nothing_ran(page)
