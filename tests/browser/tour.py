"""Task pages as a visitor uses them: type, run, read."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Locator, Page, Request, expect

from components.tasks.fields import OptionField, option_fields
from components.ui.choices import ChoiceInput
from components.ui.page import TaskPage
from demos import PAGES

# The same engine without a window's machinery, where there is one, loads a page with a fifth less work.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]
# Options of axe-core: all of WCAG's rules, those that a theme can break, and those that a width can break.
ALL_RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
LAYOUT = ALL_RULES | {"rules": {name: {"enabled": False} for name in COLOURS["runOnly"]["values"]}}
UP = "html.up :is(.workbench, #models-table article, #lab-rows tbody, .cards a)"  # there once a page is
TASK_PAGES = tuple(page for page in PAGES if isinstance(page, TaskPage))

GOOD = 0.1  # of layout shift, as web vitals count it; over 0.25 is poor
# Shifts that do not follow from what a visitor has just done, and the widths that the page has had.
WATCH = """
window.shifts = [];
window.still = () => performance.now() - Math.max(window.opened ?? Infinity, window.last ?? 0) > 2000;
addEventListener("tour-up", () => { window.opened = performance.now(); });
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    window.last = performance.now();
    if (entry.hadRecentInput) continue;
    const moved = entry.sources.map(({ node, previousRect, currentRect }) =>
      `${node?.id || node?.className || node?.nodeName} ${previousRect.y} -> ${currentRect.y}`);
    window.shifts.push({ value: entry.value, at: performance.now(), moved });
  }
}).observe({ type: "layout-shift", buffered: true });
window.widths = [];
addEventListener("tour-up", () => {
  const box = document.querySelector(".gradio-container");
  new ResizeObserver(() => {
    if (box.clientWidth !== window.widths.at(-1)) window.widths.push(box.clientWidth);
  }).observe(box);
});
"""
STALE = re.compile(r"^Answer to an earlier text: press ")
LABEL = """(name) => {
  const seen = getComputedStyle(document.querySelector(name), "::before").content;
  return seen === "none" ? "" : JSON.parse(seen);
}"""
SETTLED = """() => document.getAnimations().every(
  (one) => !(one instanceof CSSTransition) || one.playState !== "running"
)"""
# Until nothing in an element has changed for half a second.
QUIET = """(element) => new Promise((done) => {
  let changed = performance.now();
  const changes = new MutationObserver(() => { changed = performance.now(); });
  changes.observe(element, { subtree: true, childList: true, attributes: true });
  const look = () => {
    if (performance.now() - changed < 500) return setTimeout(look, 50);
    changes.disconnect();
    requestIdleCallback(done);
  };
  look();
})"""
# The first run of a checkpoint on a host fetches it.
PATIENCE = 200_000  # ms

# A training makes way for whatever else the host does: how long it takes is not for tests to say.
TRAINED = 900_000  # ms
TRAINS = pytest.mark.timeout(1200)  # s

# Options that keep an answer short, for tests that are about something else.
# A model that writes reads the whole text once for each word that might fill a gap.
BRIEF: Mapping[str, object] = {"max_new_tokens": 8, "targets": "capital, city"}


@dataclass(frozen=True)
class Visit:
    """A task page that is open in a browser."""

    page: Page
    spec: TaskPage

    def open(self, **query: object) -> Visit:
        self.page.goto(address(self.spec, **query))
        expect(self.part("run")).to_be_visible()
        if not query.keys().isdisjoint(fields(self.spec)):
            expect(self.badge).to_have_count(0)  # the link's text has come in place of the first example
        return self

    @property
    def options(self) -> tuple[OptionField, ...]:
        return option_fields(self.spec.task.options)

    def part(self, name: str) -> Locator:
        return self.page.locator(f"#{self.spec.slug}-{name}")

    def box(self, name: str) -> Locator:
        return self.part(name).locator("textarea, input").first

    def fill(self, name: str, value: object) -> None:
        """Types an input's text, or picks it where there is a list to pick from."""
        if isinstance(self.spec.inputs[name], ChoiceInput):
            self.box(name).click()
            self.page.get_by_role("option", name=self.shown(name, value), exact=True).click()
        else:
            self.box(name).fill(self.shown(name, value))

    def shown(self, name: str, value: object) -> str:
        """How an input shows a value."""
        kind = self.spec.inputs[name]
        return kind.titles.get(str(value), str(value)) if isinstance(kind, ChoiceInput) else kind.show(value)

    @property
    def badge(self) -> Locator:
        """Says that the answer on show is a stored one."""
        return self.part("status").locator(".badge")

    @property
    def problem(self) -> Locator:
        return self.part("result").locator(".problem")

    def run(self, press: Callable[[], object] | None = None) -> None:
        """Presses Run (or does what `press` does) and waits for the run to end."""
        # Gradio keeps one stream open as long as something runs; either end may be the one to close it.
        closed: list[str] = []

        def note(request: Request) -> None:
            closed.append(request.url)

        self.page.on("requestfinished", note)
        self.page.on("requestfailed", note)
        (press or self.part("run").click)()
        deadline = time.monotonic() + PATIENCE / 1000
        while not any("/queue/data" in url for url in closed):
            assert time.monotonic() < deadline, "the run did not end"
            self.page.wait_for_timeout(20)
        self.page.remove_listener("requestfinished", note)
        self.page.remove_listener("requestfailed", note)
        expect(self.part("run")).to_be_enabled()
        expect(self.part("stop-run")).to_be_disabled()

    def code(self, title: str) -> Locator:
        """The text in a tab of the drawer, which it opens where it is not open yet."""
        drawer = self.part("drawer")
        tab = drawer.get_by_role("tab", name=title, exact=True)
        if not tab.is_visible():
            drawer.locator("button").first.click()
        if tab.get_attribute("aria-selected") != "true":
            tab.click()
        text = drawer.locator("pre:visible")
        expect(text).to_have_count(1)
        return text

    def copied(self, title: str) -> str:
        """What the Copy button of a tab of the drawer gives: all its text."""
        self.code(title)
        self.part("drawer").get_by_role("button", name="Copy").locator("visible=true").click()
        text: str = self.page.evaluate("navigator.clipboard.readText()")
        return text

    def drawer(self, title: str) -> str:
        """All the text in a tab of the drawer; a click draws it where the tab has just been opened."""
        text: str = self.code(title).evaluate("(text) => { text.click(); return text.textContent; }")
        return text

    def answer(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.drawer("JSON"))
        return answer

    def control(self, field: OptionField) -> Locator:
        """An option's control, in the unfolded form."""
        control = self.part(field.name)
        if not control.is_visible():
            self.part("options").locator("button").first.click()
            # Gradio gives a control its first value once more after it is there; nobody types that fast.
            self.part("options").evaluate(QUIET)
        return control

    def set_option(self, field: OptionField, value: object) -> None:
        control = self.control(field)
        match field.kind:
            case "choice" if control.get_by_role("combobox").count():
                control.get_by_role("combobox").click()
                self.page.get_by_role("option", name=str(value), exact=True).click()
            case "choice":
                control.get_by_label(str(value), exact=True).check()
            case "bool":
                control.locator("input").set_checked(bool(value))
            case _:
                number = control.locator("input[type=number], textarea, input[type=text]").first
                number.fill(str(value))
                number.press("Tab")

    def option(self, field: OptionField) -> object:
        """What the form shows for an option."""
        control = self.control(field)
        match field.kind:
            case "choice" if control.get_by_role("combobox").count():
                return control.get_by_role("combobox").input_value()
            case "choice":
                return control.locator("input:checked").get_attribute("value")
            case "bool":
                return control.locator("input").is_checked()
            case _:
                return control.locator("input[type=number], textarea, input[type=text]").first.input_value()

    def pick_model(self, title: str) -> None:
        self.box("model").click()
        # Its availability follows the title; another title may begin alike.
        self.page.get_by_role("option", name=re.compile(rf"^{re.escape(title)} [·(]")).click()

    def settled(self) -> str:
        """Asserts that an answer or a clear message is on show; says which."""
        if self.problem.count():
            assert len(self.problem.inner_text()) > 20, self.problem.evaluate("one => one.outerHTML")
            return "problem"
        expect(self.badge).to_have_count(0)
        expect(self.part("status").locator(".fact").first).to_be_visible()
        return "answer"


def fields(page: TaskPage) -> list[str]:
    """What a link to the page may set."""
    return [*page.inputs, "model", *(field.name for field in option_fields(page.task.options))]


def address(page: TaskPage, **query: object) -> str:
    return f"/{page.slug}" + (f"?{urlencode(query)}" if query else "")


def brief(page: TaskPage) -> dict[str, object]:
    return {name: value for name, value in BRIEF.items() if name in fields(page)}


def another_value(field: OptionField) -> object:
    """A valid value that is not the default, and that the default model can do."""
    if field.name == "source":
        return "en"
    match field.kind:
        case "choice":
            return next(choice for choice in field.choices if choice != field.default)
        case "bool":
            return not field.default
        case "int" | "float":
            return next(
                bound for bound in (field.minimum, field.maximum) if bound not in (None, field.default)
            )
        case _:
            return f"{field.default} "


def text_boxes(spec: TaskPage) -> list[str]:
    """The inputs that a visitor may type anything into."""
    return [name for name, kind in spec.inputs.items() if not isinstance(kind, ChoiceInput)]


def paste(box: Locator, text: str) -> None:
    """Puts any text into a box: Playwright's own typing takes minutes for a long one, and half a character
    is lost in it."""
    box.evaluate(
        """(box, half) => {
          box.value = JSON.parse(half);
          box.dispatchEvent(new Event("input", { bubbles: true }));
        }""",
        json.dumps(text),
    )


def check_still(page: Page) -> None:
    """Little has been moved since the page opened, or since its list of shifts was emptied."""
    shifts: list[dict[str, Any]] = page.evaluate("shifts")
    assert sum(one["value"] for one in shifts) < GOOD, shifts


def stale_label(page: Page, name: str) -> str:
    """What a visitor sees above an answer that is not the question's."""
    shown: str = page.evaluate(LABEL, name)
    return shown


def check_accessible(page: Page, rules: Mapping[str, object] = ALL_RULES, within: str = "") -> None:
    """Nothing serious that axe-core finds in the page, or in a part of it, once its colours stand: half-way
    through a transition, they are neither those before nor those after."""
    page.wait_for_function(SETTLED)
    if _serious(page, rules, within):
        page.wait_for_function(SETTLED)  # one may have begun meanwhile
        serious = _serious(page, rules, within)
        assert not serious, "\n".join(serious)


def check_both_themes(page: Page, within: str = "") -> None:
    """As `check_accessible`, in light and in dark, of a page that follows the system; it ends in light."""
    check_accessible(page, within=within)
    page.emulate_media(color_scheme="dark")
    check_accessible(page, COLOURS, within)  # all else is the same
    page.emulate_media(color_scheme="light")


def check_looks(page: Page) -> None:
    """Fits the window and is accessible in light, in dark, and in the dark on a phone; opens in light."""
    unfold(page)
    check_accessible(page)
    switch_theme(page)
    check_accessible(page, COLOURS)  # the rest of the page is the same
    page.set_viewport_size({"width": 390, "height": 900})
    check_accessible(page, LAYOUT)  # with the same colours, and nothing that a wide window does not show
    for width in (360, 390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def switch_theme(page: Page) -> None:
    page.get_by_role("button", name="Switch between light and dark").click()


def unfold(page: Page) -> None:
    """Opens the options and the drawer, where a page has them, once the page is up."""
    expect(page.locator(UP).first).to_be_visible()
    if page.locator(".asking").count():
        expect(page.locator('[id$="-drawer"]')).to_be_visible()
    for part in page.locator('[id$="-options"]:has(> button), [id$="-drawer"]').all():
        folded = part.locator("> button")
        folded.click()
        expect(folded).to_have_class(re.compile(r"\bopen\b"))


def _serious(page: Page, rules: Mapping[str, object], within: str) -> list[str]:
    where: dict[str, object] = {"include": [[within or "html"]]}
    options = {**rules, "resultTypes": ["violations"]}
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate(
        "async ([where, options]) => (await axe.run(where, options)).violations", [where, options]
    )
    return [
        f"{violation['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
