"""The lab's third tab: train a classifier in one of several ways, and watch it learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from components import javascript, texts
from components.figures import lab_runs, status
from components.figures.markup import Markup
from components.lab import intake
from components.lab.data import SPLITS, Data
from components.lab.lab import Lab
from components.lab.methods import METHODS
from components.lab.methods.method import Method
from components.lab.runs import Phase, Run, find
from components.lab.workspace import Workspace
from components.models.errors import TourError
from components.tasks.fields import option_fields
from components.ui.lab import watching
from components.ui.lab.form import bases, form, values
from components.ui.page import Tour
from components.ui.slots import QUIET

TEXTS = texts.beside(__file__)

FIRST = "lora"
# `python -m tests.benchmarks.lab`, with each method's own settings.
ON_THE_EXAMPLE_SET = TEXTS["on_the_example_set"]


def train_panel(tour: Tour, key: gr.BrowserState, tab: gr.Tab, ready: Any) -> None:
    lab = tour.lab
    methods = [method for method in METHODS.values() if method.kind == "classifier"]
    first = next((method for method in methods if method.name == FIRST), methods[0])
    gr.HTML(str(status.hint(TEXTS["about"])))
    about_data = gr.HTML(elem_id="lab-train-data")
    with gr.Row(equal_height=False, elem_classes="figure-first"):
        with gr.Column(scale=5, min_width=320):
            picked = gr.Radio(
                [(method.title, method.name) for method in methods],
                value=first.name,
                label="Method",
                elem_id="lab-method",
            )
            about = gr.HTML(str(status.hint(first.about)), elem_id="lab-method-about")
            groups: list[gr.Column] = []
            controls: list[Any] = []
            for method in methods:
                with gr.Column(visible=method is first) as group:
                    controls += form(method, lab, key, f"lab-{method.name}")
                groups.append(group)
            start = gr.Button("Train", variant="primary", elem_id="lab-train")
        with gr.Column(scale=6, min_width=320):
            watch = watching.build(tour, key, "lab-training", [method.name for method in methods], FIRST)
    gr.HTML("<h3>Your runs</h3>")
    runs = gr.HTML(elem_id="lab-runs", js_on_load=javascript.start("lab-runs", "remove"))

    def switch(name: str) -> list[Any]:
        shown = [gr.Column(visible=method.name == name) for method in methods]
        return [str(status.hint(METHODS[name].about)), *shown]

    def begin(workspace: Workspace, name: str, *typed: Any) -> Run:
        return lab.start(workspace, name, _options(methods, name, typed), lab.data(workspace))

    def view(key: str) -> list[str]:
        try:
            workspace = lab.workspaces.open(key)
        except TourError:
            return ["", ""]
        return [str(_described(lab.data(workspace))), str(lab_runs.runs_table(_rows(lab, workspace)))]

    def remove(event: gr.EventData, key: str) -> list[str]:
        try:
            workspace = lab.workspaces.open(key)
            lab.remove(lab.run(workspace, str(event.run)))
        except TourError as error:
            return [gr.skip(), str(status.problem(error.message)) + view(key)[1]]
        return view(key)

    models = [control for control in controls if isinstance(control, gr.Dropdown)]

    def preselect(key: str, request: gr.Request) -> list[Any]:
        """A link may name the checkpoint to start from, such as one that was adapted a moment ago."""
        asked = request.query_params.get("model")
        there = asked is not None and asked in lab.registry.catalog
        choices = bases(lab, key, ())
        return [gr.Dropdown(choices, value=asked) if there else gr.skip() for _ in models]

    ready.then(preselect, key, models, **QUIET)
    seen: dict[str, Any] = {"fn": view, "inputs": key, "outputs": [about_data, runs], **QUIET}
    picked.change(switch, picked, [about, *groups], **QUIET)
    watch.starts(start.click, begin, [picked, *controls]).then(**seen)
    for event in (ready.then, tab.select):  # a link opens this tab at once
        watch.opens(event).then(**seen)
    watch.ended(lambda key, _: view(key), [], [about_data, runs])
    watch.timer.tick(
        view, key, [about_data, runs], **QUIET
    )  # other runs go on beside the one that is watched
    removing: Any = runs
    removing.remove(remove, key, [about_data, runs], **QUIET)


def _options(methods: Sequence[Method], name: str, typed: Sequence[Any]) -> dict[str, Any]:
    """Of all forms' values those of one method."""
    at = 0
    for method in methods:
        fields = option_fields(method.options)
        if method.name == name:
            return values(fields, typed[at : at + len(fields)])
        at += len(fields)
    raise ValueError(name)


def _described(data: Data | None) -> Markup:
    if data is None:
        return status.hint("There is no data yet: choose some on the tab Data.")
    sizes = ", ".join(f"{len(data.rows(split)):,} {split}" for split in SPLITS)
    described = Markup('<p class="hint">Data: <strong dir="auto">{}</strong>, {} classes; {} rows.</p>')
    return described.format(data.about.title, len(data.about.labels), sizes) + (
        status.hint(ON_THE_EXAMPLE_SET) if intake.is_shipped(data) else Markup()
    )


def _rows(lab: Lab, workspace: Workspace) -> list[lab_runs.Row]:
    found = list(find(workspace.runs))
    return [_row(lab, run) for run in reversed(found)]


def _row(lab: Lab, run: Run) -> lab_runs.Row:
    events = run.events()
    scores = [one["macro_f1"] for one in events if one["event"] == "validation" and "macro_f1" in one]
    place = lab.jobs.place(run)
    phase = run.state.phase
    data = run.data
    return lab_runs.Row(
        id=run.id,
        title=run.spec.title,
        settings=lab_runs.settings(run.spec.options),
        data=data.about.title if data else "",
        state=f"in line, {place} before it" if place else phase.value,
        score=max(scores, default=None),
        seconds=run.seconds if phase is Phase.DONE else None,
        model=lab.model_id(run),
        removable=place is None,
    )
