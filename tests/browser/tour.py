"""Task pages as a visitor uses them: type, run, read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page, Request, expect

from components.tasks.fields import OptionField, option_fields
from components.ui.page import TaskPage
from demos import PAGES

FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]
TASK_PAGES = tuple(page for page in PAGES if isinstance(page, TaskPage))

# The first run of a checkpoint on a host fetches it.
PATIENCE = 240_000  # ms

# Options that keep an answer short, for tests that are about something else.
BRIEF: Mapping[str, object] = {"max_new_tokens": 8}


@dataclass(frozen=True)
class Visit:
    """A task page that is open in a browser."""

    page: Page
    spec: TaskPage

    def open(self, **query: object) -> Visit:
        self.page.goto(address(self.spec, **query))
        expect(self.part("run")).to_be_visible()
        return self

    @property
    def options(self) -> tuple[OptionField, ...]:
        return option_fields(self.spec.task.options)

    def part(self, name: str) -> Locator:
        return self.page.locator(f"#{self.spec.slug}-{name}")

    def box(self, name: str) -> Locator:
        return self.part(name).locator("textarea, input").first

    @property
    def badge(self) -> Locator:
        """Says that the answer on show is a stored one."""
        return self.part("status").locator(".badge")

    @property
    def problem(self) -> Locator:
        return self.part("result").locator(".problem")

    def run(self, press: Callable[[], object] | None = None) -> None:
        """Presses Run (or does what `press` does) and waits for the run to end."""
        with self.page.expect_event("requestfinished", ends_run, timeout=PATIENCE):
            (press or self.part("run").click)()
        expect(self.part("run")).to_be_enabled()
        expect(self.part("stop")).to_be_disabled()

    def drawer(self, tab: str) -> str:
        """The text in a tab of the drawer."""
        drawer = self.part("drawer")
        if not drawer.get_by_role("tab", name=tab, exact=True).is_visible():
            drawer.locator("button").first.click()
        drawer.get_by_role("tab", name=tab, exact=True).click()
        content = drawer.locator(".cm-content:visible")
        expect(content).to_have_count(1)
        return "\n".join(content.locator(".cm-line").all_inner_texts())

    def answer(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.drawer("JSON"))
        return answer

    def set_option(self, field: OptionField, value: object) -> None:
        control = self.part(field.name)
        if not control.is_visible():
            self.part("options").locator("button").first.click()
        match field.kind:
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
        control = self.part(field.name)
        match field.kind:
            case "choice":
                return control.locator("input:checked").get_attribute("value")
            case "bool":
                return control.locator("input").is_checked()
            case _:
                return control.locator("input[type=number], textarea, input[type=text]").first.input_value()

    def pick_model(self, title: str) -> None:
        self.box("model").click()
        self.page.get_by_role("option", name=title).filter(has_text=f"{title} (").first.click()

    def settled(self) -> str:
        """Asserts that an answer or a clear message is on show; says which."""
        if self.problem.count():
            assert len(self.problem.inner_text()) > 20
            return "problem"
        expect(self.badge).to_have_count(0)
        expect(self.part("status").locator(".fact").first).to_be_visible()
        return "answer"


def ends_run(request: Request) -> bool:
    """Gradio's event stream is closed when the last event on the page is done."""
    return "/queue/data" in request.url


def address(page: TaskPage, **query: object) -> str:
    return f"/{page.slug}" + (f"?{urlencode(query)}" if query else "")


def brief(page: TaskPage) -> dict[str, object]:
    names = {field.name for field in option_fields(page.task.options)}
    return {name: value for name, value in BRIEF.items() if name in names}


def another_value(field: OptionField) -> object:
    """A valid value that is not the default."""
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
