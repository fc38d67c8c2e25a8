"""What a page is made of. A task page declares this and the frame does the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import gradio as gr
from gradio.context import LocalContext

from components.address import Published
from components.figures.chart import Chart
from components.figures.markup import Markup
from components.temporary import TemporaryFiles
from components.ui import uploads
from components.ui.inspection import Inspection
from components.ui.line import Line

if TYPE_CHECKING:
    from components.lab.lab import Lab
    from components.models.checkpoint import Checkpoint
    from components.models.registry import Registry
    from components.models.settings import Profile
    from components.tasks.fields import InputField
    from components.tasks.runner import Runner
    from components.tasks.task import Task

Json = Mapping[str, Any]


class Input(Protocol):
    """How one field of a task's inputs is typed in: a component, and the way to the API's value and back."""

    def component(self, field: InputField, value: str, elem_id: str) -> gr.components.Component: ...

    def beside(self, box: Any, field: InputField, value: str, elem_id: str) -> None:
        """Lays out below the component what else helps to fill it in."""

    def parse(self, form_values: str) -> object: ...

    def show(self, value: Any) -> str: ...


@dataclass(frozen=True, kw_only=True)
class TextInput:
    """One text; label and help are `title` and `help`, or the field's own.

    `documents`: it may come from a file, such as a PDF.
    """

    lines: int = 3
    placeholder: str = ""
    documents: bool = False
    title: str = ""
    help: str = ""

    def component(self, field: InputField, value: str, elem_id: str) -> gr.Textbox:
        return gr.Textbox(
            value,
            label=self.title or field.title,
            info=" ".join(filter(None, (self.help or field.help, self.hint))),
            lines=self.lines,
            max_lines=max(12, self.lines),
            placeholder=self.placeholder,
            elem_id=elem_id,
        )

    @property
    def hint(self) -> str:
        return ""

    def beside(self, box: Any, field: InputField, value: str, elem_id: str) -> None:
        if self.documents:
            uploads.document(box, field.max_length, elem_id)

    def parse(self, form_values: str) -> object:
        return form_values

    def show(self, value: Any) -> str:
        return str(value)


@dataclass(frozen=True, kw_only=True)
class ListInput(TextInput):
    """Several texts in one box, one per line or with commas between them; blank ones are left out."""

    separator: Literal["\n", ","] = "\n"

    @property
    def hint(self) -> str:
        return "One per line." if self.separator == "\n" else "With commas between them."

    def parse(self, form_values: str) -> object:
        return [part.strip() for part in form_values.split(self.separator) if part.strip()]

    def show(self, value: Any) -> str:
        return {"\n": "\n", ",": ", "}[self.separator].join(map(str, value))


@dataclass(frozen=True, kw_only=True)
class Example:
    """A request that shows a page at its best, and the stored answer to it."""

    label: str
    payload: Json
    answer: Json


@dataclass(frozen=True, kw_only=True)
class TaskPage:
    """`draw` and `teaser` turn (request, answer), both as in the API's JSON, into escaped HTML.

    `summary` is what an answer says, in parts, for a comparison with another. `variants` are ways to ask the
    same, each a title and what it changes in the request.

    `scored` is what an answer's score is for each label or word that it gives one to; a page that has it lets
    visitors swap who the text is about.

    `trust` draws how far a checkpoint's scores can be trusted.

    `compared` is the checkpoint that a comparison starts with: one that answers the same question.

    `script` brings the drawn answer to life; where it triggers "pick", `pick` turns the answer and what was
    picked in it into changes of the request, which is then run.

    `inspection` is what of a request and its answer can be looked into.

    `joined` makes the API's request of what the boxes have, `parted` the other way round.
    """

    slug: str
    nav: str  # what the navigation calls it
    title: str
    sentence: str
    task: Task[Any, Any, Any]
    inputs: Mapping[str, Input]
    draw: Callable[[Json, Json], Markup]
    teaser: Callable[[Json, Json], Markup]
    summary: Callable[[Json], Sequence[str]]
    run_label: str = "Run"
    group: str = "Tasks"
    variants: Mapping[str, Json] = field(default_factory=dict)
    compared: str | None = None
    scored: Callable[[Json], Mapping[str, float]] | None = None
    trust: Callable[[Checkpoint], Chart | Markup] | None = None
    script: str | None = None  # a module, see components/javascript.py
    pick: Callable[[Json, Any], Json] | None = None
    inspection: Callable[[Json, Json], Inspection] | None = None
    joined: Callable[[Json], dict[str, Any]] = dict
    parted: Callable[[Json], dict[str, Any]] = dict


@dataclass(frozen=True, kw_only=True)
class PlainPage:
    """A page that is not a task's; `build` fills it inside its own route. `teaser` is a small result for its
    card."""

    slug: str
    nav: str
    title: str
    sentence: str
    build: Callable[[Tour, gr.Blocks], None]
    group: str
    teaser: Markup = Markup()  # noqa: RUF009 - immutable


@dataclass(frozen=True, kw_only=True)
class Tour:
    """What pages are handed instead of globals."""

    registry: Registry
    runner: Runner
    lab: Lab
    profile: Profile
    pages: Sequence[TaskPage | PlainPage]
    examples: Mapping[str, Sequence[Example]]  # by task name; the first is what a page opens with
    published: Published
    files: TemporaryFiles
    line: Line = field(default_factory=Line)

    @property
    def origin(self) -> str:
        """Where the visitor reaches the app whose event is being answered; a guess while pages are built."""
        request: Any = LocalContext.request.get(None)
        return self.published.address if request is None else self.published.seen_by(request)
