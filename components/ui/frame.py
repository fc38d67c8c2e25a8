"""The frame that all task pages share: input, examples, options, model, result, drawer, link."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from components.figures import status
from components.figures.markup import Markup
from components.models.checkpoint import Checkpoint
from components.models.errors import TourError
from components.tasks.fields import OptionField, option_fields
from components.tasks.task import Answer, Progress
from components.ui import doors, links, options, picker
from components.ui.page import Example, Json, TaskPage, Tour

logger = logging.getLogger(__name__)

# Runs of all pages together; each takes turns on the device step by step, so that a short
# request is not kept waiting by a long one.
CONCURRENT_RUNS = 4


@dataclass(frozen=True)
class Fields:
    """A page's inputs, model and options in the one order that events and links use."""

    page: TaskPage
    options: Sequence[OptionField]

    @property
    def names(self) -> list[str]:
        return [*self.page.inputs, "model", *(field.name for field in self.options)]

    def payload(self, typed: Sequence[Any]) -> dict[str, Any]:
        """What was typed and set, as the API's request."""
        values = dict(zip(self.names, typed, strict=True))
        for name, kind in self.page.inputs.items():
            values[name] = kind.parse(values[name] or "")
        return values

    def typed(self, payload: Json) -> list[Any]:
        """The API's request as the components show it; what it leaves out gets its default."""
        return [
            *(kind.show(payload[name]) for name, kind in self.page.inputs.items()),
            payload["model"],
            *(payload.get(field.name, field.default) for field in self.options),
        ]


@dataclass(frozen=True)
class Shown:
    """The values of everything on the page that shows an answer."""

    result: str = ""
    status: str = ""
    code: str = ""
    answer_json: str = ""
    api: str = ""

    def __iter__(self) -> Iterator[str]:
        return iter((self.result, self.status, self.code, self.answer_json, self.api))


def task_page(page: TaskPage, tour: Tour, blocks: gr.Blocks) -> None:
    """Builds the page inside its route of `blocks`; its first example is what a visitor sees first."""
    task, registry = page.task, tour.registry
    fields = Fields(page, option_fields(task.options))
    examples = tour.examples[task.name]
    first = examples[0]
    default_model = registry.catalog.default(task.name, tour.settings.profile).id
    opening = fields.typed({**first.payload, "model": first.answer["model"]})
    shown = answer_shown(page, tour, first.payload, first.answer, stored=True)

    def elem_id(part: str) -> str:
        return f"{page.slug}-{part}"

    with gr.Row(elem_classes="workbench", equal_height=False):
        with gr.Column(scale=5, min_width=320, elem_classes="asking"):
            input_components = [
                kind.component(value, elem_id(name))
                for (name, kind), value in zip(page.inputs.items(), opening, strict=False)
            ]
            with gr.Row(elem_classes="actions"):
                run_button = gr.Button(page.run_label, variant="primary", elem_id=elem_id("run"), scale=2, min_width=110)
                stop_button = gr.Button("Stop", interactive=False, elem_id=elem_id("stop"), scale=1, min_width=80)
                copy_button = gr.Button("Copy link", elem_id=elem_id("copy-link"), scale=1, min_width=110)
            with gr.Row(elem_classes="examples"):
                gr.HTML('<span class="examples-title">Examples</span>', container=False)
                example_buttons = [
                    gr.Button(example.label, size="sm", min_width=60, elem_classes="example", elem_id=elem_id(f"example-{index}"))
                    for index, example in enumerate(examples)
                ]
            model, about_model = picker.build(task, tour, value=first.answer["model"], elem_id=elem_id("model"))
            option_components = []
            if fields.options:
                with gr.Accordion("Options", open=False, elem_id=elem_id("options")):
                    option_components = [options.control(field, elem_id(field.name)) for field in fields.options]
        with gr.Column(scale=6, min_width=320, elem_classes="answering"):
            result = gr.HTML(shown.result, elem_id=elem_id("result"), elem_classes="result", min_height=120)
            run_status = gr.HTML(shown.status, elem_id=elem_id("status"), elem_classes="status")
            with gr.Accordion("Code, JSON and API", open=False, elem_id=elem_id("drawer")):
                with gr.Tab("Code"):
                    code = gr.Code(shown.code, language="python", label="Runs as it stands with the pinned libraries", lines=6, wrap_lines=True)
                with gr.Tab("JSON"):
                    answer_json = gr.Code(shown.answer_json, language="json", label="The whole answer", lines=6, wrap_lines=True)
                with gr.Tab("API"):
                    api = gr.Code(shown.api, language="shell", label="The same request over HTTP, gradio_client and MCP", lines=6, wrap_lines=True)

    asked = [*input_components, model, *option_components]
    answered = [result, run_status, code, answer_json, api]
    buttons = [run_button, stop_button]
    idle = (gr.Button(interactive=True), gr.Button(interactive=False))
    busy = (gr.Button(interactive=False), gr.Button(interactive=True))

    def run(*typed: Any) -> Iterator[tuple[Any, ...]]:
        """Answers as far as the work has come; the last one complete, or one error in its place."""
        payload = fields.payload(typed)
        answer: Answer[Any] | None = None
        keep = (gr.skip(),) * 3
        try:
            yield gr.skip(), str(status.progress("Starting", None)), *keep, *busy
            for step in tour.runner.stream(task, payload):
                if isinstance(step, Progress):
                    yield gr.skip(), str(status.progress(step.stage, step.share)), *keep, gr.skip(), gr.skip()
                    continue
                answer = step
                yield str(page.draw(payload, step.as_json())), running_line(step, tour), *keep, gr.skip(), gr.skip()
        except TourError as error:
            yield *Shown(result=str(status.problem(error.message, error.field and label_of(page, fields, error.field)))), *idle
            return
        except Exception:
            incident = secrets.token_hex(4)
            logger.exception("%s failed, incident %s", task.name, incident)
            message = f"Something broke on our side. If it happens again, report incident {incident}."
            yield *Shown(result=str(status.problem(message))), *idle
            return
        if answer is not None:
            yield *answer_shown(page, tour, payload, answer.as_json(), stored=False), *idle

    run_event = gr.on(
        [run_button.click, *(box.submit for box in input_components if isinstance(box, gr.Textbox))],
        run,
        asked,
        [*answered, *buttons],
        show_progress="hidden",
        concurrency_id="device",
        concurrency_limit=CONCURRENT_RUNS,
        api_visibility="private",
    )
    stop_button.click(
        lambda: (str(status.hint("Stopped. What was there by then stays above.")), *idle),
        None,
        [run_status, *buttons],
        cancels=[run_event],
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )
    copy_button.click(
        None,
        asked,
        None,
        js=links.copy_script(fields.names, {field.name: field.default for field in fields.options}, elem_id("copy-link")),
        api_visibility="private",
    )
    for button, example in zip(example_buttons, examples, strict=True):
        button.click(
            show_example(page, tour, fields, example),
            None,
            [*asked, *answered, *buttons],
            cancels=[run_event],
            queue=False,
            show_progress="hidden",
            api_visibility="private",
        )

    def restore(request: gr.Request) -> list[Any]:
        """The page as the link describes it; without a query it stays as it opened."""
        query = {name: value for name, value in request.query_params.items() if name in fields.names}
        if not query:
            return [gr.skip() for _ in (*asked, *answered)]
        values = dict(zip(fields.names, fields.typed({**first.payload, "model": default_model}), strict=True))
        ignored = []
        for name in page.inputs:
            values[name] = query.get(name, "")
        values["model"] = query.get("model", default_model)
        for field in fields.options:
            if field.name in query:
                try:
                    values[field.name] = options.from_link(field, query[field.name])
                except ValueError:
                    ignored.append(f"The link's {field.name} is not a value that this option takes; its default is set.")
        if not registry.catalog.has(values["model"]):
            ignored.append("The link names a model that is not in this catalog; the default one is picked.")
            values["model"] = default_model
        note = str(status.notes(ignored) or status.hint("Restored from the link. Press Run for the answer."))
        return [*values.values(), *Shown(status=note)]

    blocks.load(
        restore, None, [*asked, *answered], queue=False, show_progress="hidden", api_visibility="private"
    ).then(None, None, None, js=links.press_run_script(elem_id("run")), api_visibility="private")
    picker.keep_current(model, about_model, task, tour, blocks)


def show_example(page: TaskPage, tour: Tour, fields: Fields, example: Example) -> Any:
    """A handler that fills in an example and its stored answer."""

    def show() -> list[Any]:
        return [
            *fields.typed({**example.payload, "model": example.answer["model"]}),
            *answer_shown(page, tour, example.payload, example.answer, stored=True),
            gr.Button(interactive=True),
            gr.Button(interactive=False),
        ]

    return show


def answer_shown(page: TaskPage, tour: Tour, payload: Json, answer: Json, *, stored: bool) -> Shown:
    """A complete answer in all the places that show it."""
    checkpoint = tour.registry.catalog[answer["model"]]
    request = tour.runner.parse(page.task, {**payload, "model": checkpoint.id})
    return Shown(
        result=str(page.draw(payload, answer)),
        status=str(status.run_line(answer, title=checkpoint.title, stored=stored)),
        code=page.task.snippet(checkpoint, request.inputs, request.options),
        answer_json=json.dumps(answer, indent=2, ensure_ascii=False),
        api=doors.calls(page.task, {**payload, "model": checkpoint.id}, tour.origin),
    )


def running_line(answer: Answer[Any], tour: Tour) -> str:
    """The run line with a progress bar, while the answer is still growing."""
    checkpoint: Checkpoint = tour.registry.catalog[answer.model]
    line = status.run_line(answer.as_json(), title=checkpoint.title)
    return str(Markup("{}{}").format(status.progress("Working", answer.share), line) if answer.share < 1 else line)


def label_of(page: TaskPage, fields: Fields, name: str) -> str:
    """What a visitor sees a field called."""
    if name in page.inputs:
        return page.inputs[name].label
    titles: Mapping[str, str] = {field.name: field.title for field in fields.options}
    return titles.get(name, name.capitalize())
