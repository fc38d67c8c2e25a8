"""Text that wants to be more than text, in every box and every query parameter of every page."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from components.models.catalog import load_catalog
from components.ui.page import TaskPage
from components.ui.table_input import TableInput
from demos import PAGES
from tests.browser.tour import TASK_PAGES, Visit, address, brief, fields, paste, text_boxes
from tests.server import answers

CATALOG = load_catalog()
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
ANSWERED = {
    "scripts": "\n".join(SCRIPTS.values()),
    "right to left": "\u202eשלום\u202c مرحبا \u200f<b>",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301\u0323",
}
REFUSED = {"null": "a\0b", "blank": " \t\n ", "empty": "", "megabyte": "word " * 200_000}
# All scripts at once, and what has to stand at the beginning for itself.
ENCODED = (
    quote(" ".join(SCRIPTS.values())),
    *(quote(SCRIPTS[name]) for name in ("attribute", "link")),
    *("%00", "%ED%A0%BD%FF%FE", quote(ANSWERED["right to left"]) + "x" * 2_000),
)
# A page's own pictures carry their data.
ELEMENTS = 'script, svg, iframe, img:not([src^="data:image/png"])'
HALF_A_CHARACTER = "half \ud83d of a character"

BOXES = [(spec, name) for spec in TASK_PAGES for name in text_boxes(spec)]
ONE_OF_A_KIND = {
    (type(spec.inputs[name]), name in spec.task.example): (spec, name) for spec, name in BOXES
}.values()

every_task_page = pytest.mark.parametrize("spec", TASK_PAGES, ids=lambda spec: spec.slug)


def lightest(spec: TaskPage) -> str:
    """The page's embedded checkpoint that runs fastest: this is about text, not about models."""
    fitting = [one for one in CATALOG.for_task(spec.task.name) if one.embedded]
    return min(fitting, key=lambda one: one.parameters + (one.body.parameters if one.body else 0)).id


def with_text(spec: TaskPage, name: str, text: str) -> str:
    """What a box holds when `text` is added to its usual content; in a table, as a row of its own."""
    kind, usual = spec.inputs[name], cast(Any, spec.task.example.get(name))
    if usual is None:  # what an example leaves out
        return text
    if isinstance(kind, TableInput):
        row = [text, *[""] * (len(usual["columns"]) - 1)]
        return kind.show({**usual, "rows": [*usual["rows"], row]})
    separator = getattr(kind, "separator", " ")
    return str(kind.show(usual)) + separator + text.replace("\n", separator)


def nothing_ran(page: Page) -> None:
    assert page.evaluate("window.__pwn") is None


@pytest.fixture(scope="module")
def lively(unopened: Visit) -> Visit:
    """The page, opened by a link with hostile text that runs by itself."""
    visit = unopened
    spec, example = visit.spec, visit.spec.task.example
    usual = {name: kind.show(example[name]) for name, kind in spec.inputs.items() if name in example}
    first = next(iter(spec.inputs))
    hostile = {**usual, first: with_text(spec, first, ANSWERED["scripts"])}
    query = {**hostile, **brief(spec), "model": lightest(spec), "run": 1}
    visit.run(lambda: visit.page.goto(address(spec, **query)))
    return visit


def test_in_an_address_that_runs_by_itself(lively: Visit) -> None:
    assert lively.settled() == "answer", lively.problem.inner_text()
    nothing_ran(lively.page)


def test_typed(lively: Visit, app_url: str, subtests: pytest.Subtests) -> None:
    """What has to be answered is typed at once; what is refused, all of it, into one box of each kind."""
    visit, spec, page = lively, lively.spec, lively.page
    for name in text_boxes(spec):
        with subtests.test(name):
            for field, value in spec.task.example.items():
                visit.fill(field, value)
            visit.box(name).fill(with_text(spec, name, "\n".join(ANSWERED.values())))
            visit.run()
            assert visit.settled() == "answer", visit.problem.inner_text()
            for tab in ("Code", "JSON", "API"):
                visit.drawer(tab)
            nothing_ran(page)
            expect(visit.part("result").locator(ELEMENTS)).to_have_count(0)
            optional = name not in spec.task.example
            refused = [text for text in (*REFUSED.values(), HALF_A_CHARACTER) if not optional or text.strip()]
            for text in refused if (spec, name) in ONE_OF_A_KIND else [HALF_A_CHARACTER]:
                paste(visit.box(name), text)
                visit.run()
                assert visit.settled() == "problem", text[:20]
            nothing_ran(page)
            visit.box(name).fill("")  # as the page opened, where the example leaves it out
    assert answers(f"{app_url}/health")


def test_shown_as_it_was_typed(page: Page) -> None:
    """Escaping must not eat text either; the ranking shows the visitor's own sentences."""
    spec = next(spec for spec in TASK_PAGES if spec.task.name == "sentence_similarity")
    visit = Visit(page, spec).open(source="Some text", sentences="\n".join(["first", *SCRIPTS.values()]))
    visit.run()
    assert visit.settled() == "answer"
    for text in SCRIPTS.values():
        expect(visit.part("result")).to_contain_text(text)
    nothing_ran(page)


@every_task_page
def test_in_the_address(page: Page, app_url: str, spec: TaskPage) -> None:
    """A third of the texts to a load, turned from page to page, so that each kind of field meets them all."""
    names = (*fields(spec), "__theme", "embed", "unknown")
    for first in range(TASK_PAGES.index(spec) % 3, len(ENCODED), 3):
        query = "&".join(f"{name}={ENCODED[(first + at) % len(ENCODED)]}" for at, name in enumerate(names))
        page.goto(f"/{spec.slug}?{query}")
        expect(Visit(page, spec).badge).to_have_count(0)  # the stored answer has made way for the link's text
        nothing_ran(page)
    assert answers(f"{app_url}/health")


def test_in_the_address_of_a_page_without_fields(page: Page) -> None:
    all_scripts, attribute, link = ENCODED[:3]
    for slug in ("", *(spec.slug for spec in PAGES if not isinstance(spec, TaskPage))):
        for text, other in ((all_scripts, attribute), (link, all_scripts)):
            page.goto(f"/{slug}?text={text}&model={other}&__theme={text}#{other}")
            expect(page.locator("#tour-header")).to_be_visible()
            nothing_ran(page)
