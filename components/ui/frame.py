"""The frame that all task pages share: input, examples, options, model, result, drawer, link."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from components import javascript
from components.figures import status
from components.figures.markup import Markup, join
from components.models.errors import TourError
from components.tasks.fields import input_fields
from components.ui import batching, chart, chrome, comparing, links, options, picker, slots, swapping
from components.ui.answering import PageController, PageUpdate
from components.ui.choices import ChoiceInput
from components.ui.line import QUEUED, in_line
from components.ui.page import Example, Json, TaskPage, TextInput, Tour
from components.ui.slots import QUIET, Actions, switches
from components.ui.streaming import Wiring
from components.ui.visitor import browser_key


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The components of one task page."""

    inputs: list[gr.components.Component]
    model: gr.Dropdown
    about_model: gr.HTML
    tokens: gr.Button
    options: list[gr.components.Component]
    examples: list[gr.Button]
    actions: Actions
    result: gr.HTML
    status: gr.HTML
    code: gr.HTML
    answer_json: gr.HTML
    api: gr.HTML
    compare: comparing.Panel
    batch: batching.Panel
    swap: swapping.Panel
    trust: tuple[gr.Plot, gr.HTML]
    trusted: gr.Accordion

    @property
    def asked(self) -> list[gr.components.Component]:
        return [*self.inputs, self.model, *self.options]

    def longest(self, page: TaskPage) -> gr.components.Component:
        """The box for most text: that of a question's context, not of the question. One for a single text
        comes before a list."""
        texts = [
            (type(kind) is TextInput, kind.lines, box)
            for kind, box in zip(page.inputs.values(), self.inputs, strict=True)
            if isinstance(kind, TextInput)
        ]
        return max(texts, key=lambda text: text[:2])[2]

    @property
    def answered(self) -> list[gr.components.Component]:
        return [self.result, self.status, self.code, self.answer_json, self.api]

    @property
    def buttons(self) -> list[gr.components.Component]:
        return [self.actions.run, self.actions.stop]


def task_page(page: TaskPage, tour: Tour, blocks: gr.Blocks) -> None:
    """Builds the page inside its route of `blocks`; its first example is what a visitor sees first."""
    controller = PageController(page, tour)
    examples = tour.examples[page.task.name]
    parts = lay_out(controller, examples[0], [example.label for example in examples])
    running = wire(controller, parts, blocks, {**examples[0].payload, "model": controller.default_model})
    for button, example in zip(parts.examples, examples, strict=True):
        wire_example(controller, parts, button, example, running)


def lay_out(controller: PageController, first: Example, example_labels: list[str]) -> Parts:
    """Asking on the left, the answer on the right; one below the other on a narrow screen."""
    page = controller.page
    model_id = controller.default_model  # as for the API; the stored answer says which model gave it
    opening = controller.typed({**first.payload, "model": model_id})
    shown = controller.complete(first.payload, first.answer, stored=True)

    def named(part: str) -> str:
        return f"{page.slug}-{part}"

    with gr.Row(elem_classes="workbench", equal_height=False):
        with gr.Column(scale=5, min_width=320, elem_classes="asking"):
            inputs = []
            for field, value in zip(input_fields(page.task.inputs), opening, strict=False):
                kind = page.inputs[field.name]
                inputs.append(kind.component(field, value, named(field.name)))
                kind.beside(inputs[-1], field, value, named(field.name))
            actions = slots.actions(page.slug, page.run_label, "stop-run")
            example_buttons = slots.examples(page.slug, example_labels)
            with gr.Column(elem_classes="settings"):
                model, about_model = picker.build(
                    page.task, controller.tour, value=model_id, elem_id=named("model")
                )
                tokens = gr.Button(
                    "Show the text as tokens ↗", size="sm", elem_id=named("tokens"), elem_classes="quiet"
                )
                with gr.Accordion(
                    "Options", open=False, elem_id=named("options"), visible=bool(controller.options)
                ):
                    controls = [
                        options.control(field, value, named(field.name))
                        for field, value in zip(controller.options, opening[len(inputs) + 1 :], strict=True)
                    ]
        with gr.Column(scale=6, min_width=320, elem_classes="answering"):
            script: dict[str, Any] = (
                {"js_on_load": javascript.start(page.script, "pick")} if page.script else {}
            )
            result = gr.HTML(shown.result, elem_id=named("result"), elem_classes="result", **script)
            run_status = gr.HTML(shown.status, elem_id=named("status"), elem_classes="status")
            _, (code, answer_json, api) = slots.drawer(
                page.slug,
                "Code, JSON and API",
                slots.code_tab(shown.code),
                slots.json_tab(shown.answer_json),
                slots.api_tab(shown.api),
            )
            compare = comparing.build(controller)
            batch = batching.build(controller)
            swap = swapping.build(controller)
            with gr.Accordion(
                "Can the score be trusted?",
                open=False,
                elem_id=named("trust"),
                visible=page.trust is not None,
            ) as trusted:
                trust = chart.place(named("reliability"))
    return Parts(
        inputs=inputs,
        model=model,
        about_model=about_model,
        tokens=tokens,
        options=controls,
        examples=example_buttons,
        actions=actions,
        result=result,
        status=run_status,
        code=code,
        answer_json=answer_json,
        api=api,
        compare=compare,
        batch=batch,
        swap=swap,
        trust=trust,
        trusted=trusted,
    )


def first_paint(page: TaskPage, built: Mapping[str, Any]) -> Markup:
    """What is asked and the stored answer as HTML, as they are seen until Gradio has built the page.

    `built` are its components by their ids.
    """
    result, said = (Markup(built[f"{page.slug}-{part}"].value) for part in ("result", "status"))
    asked = join(
        chrome.asked(field.title, box.value)
        for field in input_fields(page.task.inputs)
        if isinstance(box := built[f"{page.slug}-{field.name}"], gr.Textbox)
    )
    return Markup(
        '<div class="workbench"><div class="asking">{}<div class="field actions"></div></div>'
        '<div class="answering"><div class="result">{}</div><div class="status">{}</div></div></div>'
    ).format(asked, result, said)


def wire(controller: PageController, parts: Parts, blocks: gr.Blocks, opening: Json) -> list[Any]:
    """Run, Stop, Copy link, and what a link or a change of model does. Returns the events that run.

    `opening` is the request that the page opens with.
    """

    def run(*form_values: Any) -> Iterator[list[Any]]:
        yield [*places(PageUpdate(status=str(status.progress("Starting", None)))), *switches(running=True)]
        for shown in controller.run(form_values):
            yield [*places(shown), gr.skip(), gr.skip()]
        yield [*places(PageUpdate()), *switches(running=False)]

    def waiting(progress: str) -> list[Any]:
        return [*places(PageUpdate(status=progress)), *switches(running=True)]

    runs = {
        "fn": in_line(controller.tour.line, run, waiting),
        "inputs": parts.asked,
        "outputs": [*parts.answered, *parts.buttons],
        **QUEUED,
    }
    running = [
        gr.on(
            [parts.actions.run.click, *(box.submit for box in parts.inputs if isinstance(box, gr.Textbox))],
            **runs,
        )
    ]
    if controller.page.pick:
        result: Any = parts.result

        def pick(event: gr.EventData, answer: str, *form_values: Any) -> list[Any]:
            return controller.pick(answer, event.picked, form_values)

        picked = result.pick(pick, [parts.answer_json, *parts.asked], parts.asked, **QUIET)
        running.append(picked.success(**runs))
    wiring = Wiring(asked=parts.asked, buttons=parts.buttons, switches=switches, line=controller.tour.line)
    running += comparing.wire(controller, parts.compare, wiring)
    running += batching.wire(controller, parts.batch, wiring)
    running += swapping.wire(controller, parts.swap, wiring)

    panels = (parts.compare, parts.batch, parts.swap)
    slots.stops(parts.actions, running, parts.status, *(panel.progress for panel in panels)).then(
        batching.kept, parts.batch.target, parts.batch.download, **QUIET
    )
    if controller.page.trust:
        gr.on(
            [parts.trusted.expand, parts.model.change],
            lambda model: chart.shown(controller.trust(model)),
            parts.model,
            list(parts.trust),
            **QUIET,
        )
    blank = {field.name: "" for field in input_fields(controller.page.task.inputs) if not field.required}
    defaults = {**blank, **{field.name: field.default for field in controller.options}}
    parts.tokens.click(
        None,
        [parts.longest(controller.page), parts.model],
        None,
        js=links.tokens_script(str(parts.tokens.elem_id)),
        api_visibility="private",
    )

    def restore(request: gr.Request) -> list[Any]:
        restored = controller.restore(dict(request.query_params))
        if restored is None:  # the calls shown are made anew, with the address that the visitor uses
            return [*[gr.skip()] * len(parts.asked), *places(PageUpdate(api=controller.calls(opening)))]
        form_values, shown = restored
        return [*form_values, *places(shown)]

    outputs = [*parts.asked, *parts.answered]
    slots.linked(blocks, parts.actions, parts.asked, controller.names, defaults, restore, outputs)
    for kind, box in zip(controller.page.inputs.values(), parts.inputs, strict=True):
        if isinstance(kind, ChoiceInput) and kind.possible:
            parts.model.change(partial(fitting, controller, kind), [parts.model, box], box, **QUIET)
    task, tour = controller.page.task, controller.tour
    key = browser_key()
    picker.keep_current(parts.model, parts.about_model, task, tour, blocks, key, running)
    picker.keep_current(parts.compare.other, None, task, tour, blocks, key, running)
    return running


def fitting(controller: PageController, kind: ChoiceInput, model: str, picked: str) -> Any:
    """A choice that the picked model can do."""
    try:
        return kind.fitting(picked, controller.tour.registry.describe(model))
    except TourError:
        return gr.skip()


def wire_example(
    controller: PageController, parts: Parts, button: gr.Button, example: Example, running: list[Any]
) -> None:
    """An example fills in its request and shows the stored answer, without the model."""

    def show() -> list[Any]:
        form_values = controller.typed({**example.payload, "model": example.answer["model"]})
        shown = controller.complete(example.payload, example.answer, stored=True)
        return [*form_values, *places(shown), *switches(running=False)]

    # A run under way would write its answer over the example's, hence `cancels`.
    button.click(show, None, [*parts.asked, *parts.answered, *parts.buttons], cancels=running, **QUIET)


def places(shown: PageUpdate) -> list[Any]:
    return [gr.skip() if value is None else value for value in shown.places]
