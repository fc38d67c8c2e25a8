"""The layers page: what each layer of a model does to a text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from components import texts
from components.figures import layers as figures
from components.figures import status
from components.figures.markup import Markup
from components.insight.layers import TASK
from components.tasks.fields import input_fields
from components.ui import chart, links, options, picker, slots
from components.ui.answering import PageController, PageUpdate
from components.ui.frame import places
from components.ui.line import QUEUED, in_line
from components.ui.page import Json, PlainPage, TaskPage, TextInput, Tour
from components.ui.slots import QUIET, switches
from components.ui.visitor import browser_key
from demos import examples

TEXTS = texts.beside(__file__)

SLUG = links.LAYERS_PAGE
LONGEST_JSON = 400_000  # characters that the drawer can show

# How the page asks and draws, in the terms of a task page; its own layout has the figures' full width.
ASKING = TaskPage(
    slug=SLUG,
    nav=TEXTS["nav"],
    title=TEXTS["title"],
    sentence=TEXTS["sentence"],
    task=TASK,
    inputs={"text": TextInput(lines=3), "text_pair": TextInput(lines=2)},
    draw=figures.layers,
    teaser=lambda _, answer: figures.teaser(answer),
    summary=lambda answer: [row[-1][0] for row in answer["lens"]],
)
STORED = examples.load(TASK)
SIMILARITY, LENGTHS = (
    str(
        Markup('<section class="layer-view"><h2>{}</h2>{}</section>').format(
            TEXTS[f"{view}.title"], status.hint(TEXTS[f"{view}.text"])
        )
    )
    for view in ("similarity", "lengths")
)


def build(tour: Tour, blocks: gr.Blocks) -> None:
    controller = PageController(ASKING, tour)
    first = STORED[0]
    opening = controller.typed({**first.payload, "model": first.answer["model"]})
    shown = _bounded(controller.complete(first.payload, first.answer, stored=True))
    with gr.Row(equal_height=False, elem_classes="workbench"):
        with gr.Column(scale=6, min_width=320, elem_classes="asking"):
            texts = [
                ASKING.inputs[field.name].component(field, value, f"{SLUG}-{field.name}")
                for field, value in zip(input_fields(TASK.inputs), opening, strict=False)
            ]
            buttons = slots.examples(SLUG, [one.label for one in STORED])
        with gr.Column(scale=5, min_width=320, elem_classes="answering"):
            model, about_model = picker.build(
                TASK, tour, value=first.answer["model"], elem_id=f"{SLUG}-model"
            )
            controls = [
                options.control(field, value, f"{SLUG}-{field.name}")
                for field, value in zip(controller.options, opening[len(texts) + 1 :], strict=True)
            ]
            actions = slots.actions(SLUG, "Run")
    run_status = gr.HTML(shown.status, elem_id=f"{SLUG}-status", elem_classes="status")
    result = gr.HTML(shown.result, elem_id=f"{SLUG}-result", elem_classes="layer-views")
    with gr.Column() as charts:
        gr.HTML(SIMILARITY)
        similarity = chart.place(f"{SLUG}-similarity")
        gr.HTML(LENGTHS)
        norms = chart.place(f"{SLUG}-lengths")
    _, drawer = slots.drawer(
        SLUG,
        "Code, JSON and API",
        slots.code_tab(shown.code),
        slots.json_tab(shown.answer_json),
        slots.api_tab(shown.api),
    )
    asked: list[gr.components.Component] = [*texts, model, *controls]
    answered: list[Any] = [result, run_status, *drawer, charts, *similarity, *norms]

    def placed(shown: PageUpdate, request: Json) -> list[Any]:
        """An answer in its places; in the charts, too, once it is complete."""
        if shown.answer_json is None:
            return [*places(shown), *[gr.skip()] * 5]
        answer = json.loads(shown.answer_json) if shown.answer_json else None
        return [*places(_bounded(shown)), *_charts(request, answer)]

    def answer(*form_values: Any) -> Iterator[list[Any]]:
        yield waiting(str(status.progress("Starting", None)))
        for step in controller.run(form_values):
            yield [*placed(step, controller.payload(form_values)), gr.skip(), gr.skip()]
        yield [*placed(PageUpdate(), {}), *switches(running=False)]

    def waiting(progress: str) -> list[Any]:
        return [*placed(PageUpdate(status=progress), {}), *switches(running=True)]

    runs: dict[str, Any] = {
        "fn": in_line(tour.line, answer, waiting),
        "inputs": asked,
        "outputs": [*answered, actions.run, actions.stop],
        **QUEUED,
    }
    running = [gr.on([actions.run.click, *(box.submit for box in texts)], **runs)]  # type: ignore[attr-defined]
    for button, example in zip(buttons, STORED, strict=True):
        form_values = controller.typed({**example.payload, "model": example.answer["model"]})
        filled = button.click(
            lambda form_values=form_values: form_values, None, asked, cancels=running[:1], **QUIET
        )
        running.append(filled.success(**runs))

    slots.stops(actions, running, run_status)
    defaults = {"text_pair": "", **{field.name: field.default for field in controller.options}}

    def restore(request: gr.Request) -> list[Any]:
        restored = controller.restore(dict(request.query_params))
        if restored is None:
            # Drawn by each visit: Plotly is not imported when the app starts.
            return [*[gr.skip()] * len(asked), *places(PageUpdate()), *_charts(first.payload, first.answer)]
        form_values, empty = restored
        return [*form_values, *placed(empty, {})]

    slots.linked(blocks, actions, asked, controller.names, defaults, restore, [*asked, *answered])
    picker.keep_current(model, about_model, TASK, tour, blocks, browser_key(), running)


def _charts(request: Json, answer: Json | None) -> list[Any]:
    """Values of the column of charts and of the two; without an answer it is hidden."""
    if answer is None:
        return [gr.Column(visible=False), *chart.shown(None), *chart.shown(None)]
    return [
        gr.Column(visible=True),
        *chart.shown(figures.similarity(request, answer)),
        *chart.shown(figures.norms(request, answer)),
    ]


def _bounded(shown: PageUpdate) -> PageUpdate:
    """An answer whose JSON an editor can hold; a long one is a call away."""
    if shown.answer_json is None or len(shown.answer_json) <= LONGEST_JSON:
        return shown
    size = len(shown.answer_json) / 1e6
    return replace(shown, answer_json=TEXTS["too_long"].format(size=size))


PAGE = PlainPage(
    slug=SLUG,
    nav=ASKING.nav,
    title=ASKING.title,
    sentence=TEXTS["sentence"],
    build=build,
    group="Look inside",
    teaser=Markup("{} … {}").format(STORED[0].payload["text"], figures.teaser(STORED[0].answer)),
)
