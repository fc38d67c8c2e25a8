"""The attribution page: which words drive a prediction, by four methods, and what an edit changes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import gradio as gr

from components import javascript, texts
from components.figures import attribution as figure
from components.figures import status
from components.figures.markup import Markup, join
from components.insight.attribution import EDIT, EXPLAINED, TASK
from components.tasks.task import Answer, Progress, Task
from components.ui import api_samples, asking, links, picker, slots
from components.ui.driver import Problem, driven
from components.ui.line import QUEUED, in_line
from components.ui.page import PlainPage, TaskPage, Tour
from components.ui.slots import QUIET, switches
from components.ui.visitor import browser_key
from demos import examples

TEXTS = texts.beside(__file__)

SLUG = links.ATTRIBUTION_PAGE
NAMES = ["task", "text", "text_pair", "model", "target", "against"]
# By what the button says: a request, in the order of `NAMES`.
EXAMPLES: Mapping[str, tuple[str, ...]] = {
    label: tuple(request.get(name, "") for name in NAMES) for label, request in TEXTS.data["requests"].items()
}
FIRST = next(iter(EXAMPLES.values()))
# What the views say of themselves, with an example that the first of `EXAMPLES` makes true.
TEXT_SAYS, GRID_SAYS, EDIT_SAYS = (
    (TEXTS[f"views.{view}"], TEXTS[f"examples.{view}"]) for view in ("text", "grid", "edit")
)


@dataclass(frozen=True)
class PageUpdate:
    """A run's places on the page; None leaves one as it is."""

    result: str | None = None
    table: str | None = None
    line: str | None = None
    kept: Any = None
    answer_json: str | None = None
    api: str | None = None

    @property
    def places(self) -> list[Any]:
        values = (self.result, self.table, self.line, self.kept, self.answer_json, self.api)
        return [gr.skip() if value is None else value for value in values]


def build(tour: Tour, blocks: gr.Blocks) -> None:
    stored = examples.load(TASK)[0]
    first = next(iter(EXAMPLES.values()))
    shown = complete(tour, stored.payload, stored.answer, stored=True)
    of_task = tasks(tour)
    with gr.Row(equal_height=False, elem_classes="workbench"):
        with gr.Column(scale=5, min_width=320, elem_classes="asking"):
            task = gr.Dropdown(
                [(of_task[name].title, name) for name in EXPLAINED],
                value=first[0],
                label="Task",
                filterable=False,
                elem_id=f"{SLUG}-task",
            )
            text = gr.Textbox(
                first[1],
                label="Text",
                lines=4,
                max_lines=4,
                info="At most 512 tokens are read and explained.",
                elem_id=f"{SLUG}-text",
            )
            pair = gr.Textbox(first[2], lines=2, max_lines=2, elem_id=f"{SLUG}-text_pair", **second(first[0]))
            with gr.Row():
                target = gr.Dropdown(
                    known(stored.answer),
                    value="",
                    label="Explain",
                    info=explaining(first[0]),
                    allow_custom_value=True,
                    min_width=140,
                    elem_id=f"{SLUG}-target",
                )
                against = gr.Dropdown(
                    known(stored.answer),
                    value="",
                    label="Rather than",
                    info="May be empty.",
                    allow_custom_value=True,
                    min_width=140,
                    elem_id=f"{SLUG}-against",
                )
            actions = slots.actions(SLUG, "Explain")
            buttons = slots.examples(SLUG, list(EXAMPLES))
            with gr.Column(elem_classes="settings"):
                model, about_model = picker.build(
                    of_task[first[0]], tour, value=first[3], elem_id=f"{SLUG}-model"
                )
        with gr.Column(scale=6, min_width=320, elem_classes="answering"):
            gr.HTML(says(TEXT_SAYS, stored.answer), elem_classes="view-says")
            result: Any = gr.HTML(
                shown.result,
                elem_id=f"{SLUG}-result",
                elem_classes="result attribution",
                js_on_load=javascript.start("attribution", "pick"),
            )
            line = gr.HTML(shown.line, elem_id=f"{SLUG}-status", elem_classes="status")
    gr.HTML("<h2>Edit and see</h2>" + says(EDIT_SAYS, stored.answer), elem_classes="view-says")
    with gr.Row(equal_height=True, elem_classes="editing"):
        part = gr.HTML(part_words(None), elem_id=f"{SLUG}-part", elem_classes="attribution-part")
        replacement = gr.Textbox(
            "",
            label="Becomes",
            info="Empty to take it away.",
            max_lines=1,
            max_length=1000,
            elem_id=f"{SLUG}-replacement",
        )
        edit = gr.Button("Show what changes", elem_id=f"{SLUG}-edit", min_width=180)
    edited = gr.HTML(elem_id=f"{SLUG}-edited", elem_classes="result attribution")
    gr.HTML("<h2>All methods side by side</h2>" + says(GRID_SAYS, stored.answer), elem_classes="view-says")
    table = gr.HTML(shown.table, elem_id=f"{SLUG}-table", elem_classes="attribution")
    _, (answer_json, api) = slots.drawer(
        SLUG, "JSON and API", slots.json_tab(shown.answer_json), slots.api_tab(shown.api)
    )
    run, stop = actions.run, actions.stop
    kept = gr.State(shown.kept)  # the request and the answer on show
    picked = gr.State(-1)
    asked = [task, text, pair, model, target, against]
    places = [result, table, line, kept, answer_json, api]

    def waiting(progress: str) -> list[Any]:
        return [*PageUpdate(line=progress).places, *[gr.skip()] * 5, *switches(running=True)]

    def explain(*form_values: Any) -> Iterator[list[Any]]:
        none = [gr.skip()] * 5
        starting = PageUpdate(line=str(status.progress("Starting", None)))
        yield [*starting.places, *none, *switches(running=True)]
        for step in answers(tour, form_values):
            after = none
            if isinstance(step.kept, dict) and step.kept["answer"]:
                names = known(step.kept["answer"])
                after = [gr.Dropdown(choices=names), gr.Dropdown(choices=names), part_words(None), -1, ""]
            yield [*step.places, *after, gr.skip(), gr.skip()]
        yield [*PageUpdate().places, *none, *switches(running=False)]

    runs: dict[str, Any] = {
        "fn": in_line(tour.line, explain, waiting),
        "inputs": asked,
        "outputs": [*places, target, against, part, picked, edited, run, stop],
        **QUEUED,
    }
    running = [gr.on([run.click, text.submit, pair.submit], **runs)]

    def chosen(event: gr.EventData, kept: Any) -> list[Any]:
        units = kept["answer"]["units"] if kept and kept["answer"] else []
        index = event.picked
        if not isinstance(index, int) or not 0 <= index < len(units):  # comes from the browser
            return [gr.skip()] * 3
        return [part_words(units[index]["text"]), index, ""]

    result.pick(chosen, kept, [part, picked, edited], **QUIET)

    def see(kept: Any, picked: int, replacement: str) -> Iterator[list[Any]]:
        if not kept or not kept["answer"] or picked < 0:
            yield [str(status.hint("Pick a word in the text above first.")), gr.skip(), gr.skip()]
            return
        yield [str(status.progress("Starting", None)), *switches(running=True)]
        for shown in edits(tour, kept, picked, replacement):
            yield [str(shown), gr.skip(), gr.skip()]
        yield [gr.skip(), *switches(running=False)]

    running.append(
        gr.on(
            [edit.click, replacement.submit],
            in_line(tour.line, see, lambda progress: [progress, *switches(running=True)]),
            [kept, picked, replacement],
            [edited, run, stop],
            **QUEUED,
        )
    )

    slots.stops(actions, running, line)

    key = browser_key()

    def changed(task: str, key: str | None) -> list[Any]:
        return fitting(tour, task, tour.runner.registry.catalog.default(task, tour.profile).id, key=key)

    fields = [pair, model, about_model, target, against]
    task.input(changed, [task, key], fields, **QUIET)

    def other_model(task: str, id: str) -> str:
        return picker.about(of_task[task], id, tour)

    model.change(other_model, [task, model], about_model, **QUIET)

    def choices(task: str, id: str, key: str | None) -> Any:
        return gr.Dropdown(choices=picker.choices(of_task[task], tour, key, id))

    def states(task: str, id: str, key: str | None) -> list[Any]:
        return [choices(task, id, key), other_model(task, id)]

    # Until it is known where models are, nothing is said of it; after a run it may be another place. Asked
    # twice on opening: by the time of the first answer another task may have been picked.
    current: dict[str, Any] = {
        "fn": states,
        "inputs": [task, model, key],
        "outputs": [model, about_model],
        **QUIET,
    }
    blocks.load(**current).then(**current)
    for one in running:
        one.then(**current)
    model.focus(choices, [task, model, key], model, **QUIET)
    for button, example in zip(buttons, EXAMPLES.values(), strict=True):

        def fill(example: Sequence[str] = example) -> list[Any]:
            task, text, pair, id, target, against = example
            return [task, text, *fitting(tour, task, id, pair, target, against)]

        filled = button.click(
            fill, None, [task, text, pair, model, about_model, target, against], cancels=running, **QUIET
        )
        running.append(filled.then(**runs))
    defaults = {"text_pair": "", "target": "", "against": ""}

    def restore(request: gr.Request) -> list[Any]:
        query = dict(request.query_params)
        if "text" not in query:
            return [gr.skip()] * (len(asked) + 1 + len(places))
        return [*restored(tour, query), *PageUpdate("", "", str(FROM_LINK), {"answer": None}, "", "").places]

    outputs = [task, text, pair, model, about_model, target, against, *places]
    slots.linked(blocks, actions, asked, NAMES, defaults, restore, outputs)


FROM_LINK = status.hint(links.FILLED_IN[None])


def tasks(tour: Tour) -> dict[str, Task[Any, Any, Any]]:
    """The tasks that have a page, by name."""
    return {page.task.name: page.task for page in tour.pages if isinstance(page, TaskPage)}


def second(task: str) -> dict[str, Any]:
    """The box for the second text: what it is to a task, and whether there is one."""
    return {
        "label": EXPLAINED[task].title or "Second text",
        "info": EXPLAINED[task].help,
        "visible": bool(EXPLAINED[task].second),
    }


def explaining(task: str) -> str:
    """What can be explained of a task."""
    return EXPLAINED[task].target + (" Empty: the model's best." if EXPLAINED[task].has_best else "")


def fitting(
    tour: Tour,
    task: str,
    id: str,
    pair: str = "",
    target: str = "",
    against: str = "",
    *,
    key: str | None = None,
) -> list[Any]:
    """Second text, model, what is said of it, and both predictions, for a task."""
    of = tasks(tour)[task]
    return [
        gr.Textbox(pair, **second(task)),
        gr.Dropdown(choices=picker.choices(of, tour, key, id), value=id),
        picker.about(of, id, tour),
        gr.Dropdown(choices=[], value=target, info=explaining(task)),
        gr.Dropdown(choices=[], value=against),
    ]


def restored(tour: Tour, query: Mapping[str, str]) -> list[Any]:
    """What a link says; a task or model that there is not is left at what is usual."""
    catalog = tour.registry.catalog
    id = query.get("model", "")
    named = id if id and tour.registry.may_be_named(id) else ""
    own = next((one for one in catalog[named].tasks if one in EXPLAINED), "") if named in catalog else ""
    task = query.get("task", "") or own
    task = task if task in EXPLAINED else next(iter(EXAMPLES.values()))[0]
    id = named or catalog.default(task, tour.profile).id
    given = (query.get(name, "") for name in ("text_pair", "target", "against"))
    return [task, query["text"], *fitting(tour, task, id, *given)]


def known(answer: Mapping[str, Any]) -> list[str]:
    """What can be explained instead."""
    return list(dict.fromkeys(["", *(choice["text"] for choice in answer["choices"])]))


def says(texts: tuple[str, str], answer: Mapping[str, Any]) -> str:
    """What a view shows in two sentences, and what it says of the first example."""
    general, example = texts
    return str(
        Markup("<p>{}</p><p class='worked' data-answers=\"{}\"><strong>Example.</strong> {}</p>").format(
            general, json.dumps(FIRST), example.format(**facts(answer))
        )
    )


def facts(answer: Mapping[str, Any]) -> dict[str, str]:
    """The numbers of the worked examples, from the stored answer, so that they are true."""
    values = {method["name"]: method["values"] for method in answer["methods"]}
    units = [unit["text"] for unit in answer["units"]]

    def value(method: str, word: str) -> str:
        return figure.number(values[method][units.index(word)], signed=method != "attention_rollout")

    return {
        "wonderful": value("integrated_gradients", "wonderful"),
        "loud": value("integrated_gradients", "loud"),
        "occluded": value("occlusion", "wonderful"),
        "slope": value("gradient_x_input", "wonderful"),
        "lost": figure.number(values["occlusion"][units.index("wonderful")]),
    }


def part_words(word: str | None) -> str:
    if word is None:
        return str(TEXTS.html("unpicked"))
    return str(Markup("<p>Picked: <strong dir='auto'>“{}”</strong></p>").format(word))


def request_of(form_values: Sequence[Any]) -> dict[str, Any]:
    request = {name: value or "" for name, value in zip(NAMES, form_values, strict=True)}
    if request["task"] in EXPLAINED and not EXPLAINED[request["task"]].second:
        request["text_pair"] = ""
    return request


def answers(tour: Tour, form_values: Sequence[Any]) -> Iterator[PageUpdate]:
    """A run as it goes on: progress, then everything, or a problem."""
    request = request_of(form_values)
    started = perf_counter()
    for step in steps(tour, TASK, request):
        if isinstance(step, Progress):
            yield PageUpdate(line=str(status.progress(step.stage, step.share)))
        elif isinstance(step, Problem):
            yield PageUpdate(
                str(asking.belonging(step.figure, form_values)), "", "", {"answer": None}, "", ""
            )
        else:
            yield complete(tour, request, step.as_json(), stored=False, waited=perf_counter() - started)


def edits(tour: Tour, kept: Mapping[str, Any], picked: int, replacement: str) -> Iterator[Markup]:
    answer, request = kept["answer"], kept["request"]
    payload = {**request, "task": answer["task"], "model": answer["model"], "index": picked}
    for step in steps(tour, EDIT, {**payload, "replacement": replacement}):
        if isinstance(step, Progress):
            yield status.progress(step.stage, step.share)
        elif isinstance(step, Problem):
            yield step.figure
        else:
            yield figure.edited(step.as_json()) + status.notes(step.notes)


def steps(
    tour: Tour, task: Task[Any, Any, Any], payload: Mapping[str, Any]
) -> Iterator[Progress | Answer[Any] | Problem]:
    return driven(task.title, lambda: tour.runner.stream(task, payload))


def complete(
    tour: Tour,
    request: Mapping[str, Any],
    answer: Mapping[str, Any],
    *,
    stored: bool,
    waited: float | None = None,
) -> PageUpdate:
    title = tour.registry.catalog[answer["model"]].title
    asked = {name: value for name, value in request.items() if value}
    form_values = [request.get(name, "") for name in NAMES]
    said = asking.sentence([f"explained: {answer['target']}"])
    return PageUpdate(
        result=str(
            asking.belonging(
                join([figure.head(answer), figure.tinted(request, answer)]), form_values, said=said
            )
        ),
        table=str(asking.belonging(figure.grid(answer), form_values)),
        line=str(status.run_line(answer, title=title, stored=stored, waited=waited)),
        kept={"request": dict(request), "answer": dict(answer)},
        answer_json=json.dumps(answer, indent=2, ensure_ascii=False),
        api=api_samples.calls(TASK, asked, tour.origin),
    )


def teaser() -> Markup:
    """The first example, as integrated gradients see it."""
    stored = examples.load(TASK)[0]
    return figure.teaser(stored.payload, stored.answer)


PAGE = PlainPage(
    slug=SLUG,
    nav=TEXTS["nav"],
    title=TEXTS["title"],
    sentence=TEXTS["sentence"],
    build=build,
    group="Look inside",
    teaser=teaser(),
)
