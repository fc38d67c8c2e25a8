"""The lab's second tab: where a model that has not been trained on the classes puts the texts."""

from __future__ import annotations

from typing import Any

import gradio as gr
import numpy as np

from components import texts
from components.figures import lab_features, status
from components.figures.markup import percent
from components.lab.data import SPLITS, Data
from components.lab.methods import METHODS
from components.lab.methods.features import points
from components.lab.prepared import prepared
from components.lab.runs import Phase, Run, find
from components.lab.workspace import Workspace
from components.models.errors import TourError
from components.tasks.fields import option_fields
from components.ui import chart
from components.ui.lab import watching
from components.ui.lab.form import form, values
from components.ui.page import Tour
from components.ui.slots import QUIET

TEXTS = texts.beside(__file__)

NAME = "features"
ALL = ("all", -2)  # among classes and splits, beside their codes; -1 is that of none
_BY = {name: TEXTS[f"projections.{name}"] for name in ("pca", "umap", "lda")}


def features_panel(tour: Tour, key: gr.BrowserState, tab: gr.Tab, ready: Any) -> None:
    lab = tour.lab
    method = METHODS[NAME]
    gr.HTML(str(status.hint(TEXTS["about"])))
    with gr.Row(equal_height=False, elem_classes="figure-first"):
        with gr.Column(scale=4, min_width=300):
            controls = form(method, lab, key, "lab-features")
            start = gr.Button("Compute the features", variant="primary", elem_id="lab-features-start")
            watch = watching.build(tour, key, "lab-features", [NAME])
        with gr.Column(scale=7, min_width=320):
            figure = chart.place("lab-features-scatter")
            gr.HTML(str(status.hint(TEXTS["selecting"])))
            with gr.Row():
                label = gr.Dropdown(
                    [ALL], value=ALL[1], label="Texts of class", min_width=140, elem_id="lab-features-class"
                )
                split = gr.Dropdown(
                    [ALL, *((name, code) for code, name in enumerate(SPLITS))],
                    value=ALL[1],
                    label="Of split",
                    min_width=140,
                    elem_id="lab-features-split",
                )
            listed = gr.HTML(elem_id="lab-features-selected")
    shown = [*figure, label, split, listed]

    def begin(workspace: Workspace, *typed: Any) -> Run:
        options = values(option_fields(method.options), typed)
        return lab.start(workspace, NAME, options, lab.data(workspace))

    def view(key: str, _: str | None = None) -> list[Any]:
        found = drawn(key)
        if found is None:
            return [*chart.shown(None), *[gr.skip()] * 2, ""]
        run, data, said = found
        labels = [ALL, *((name, code) for code, name in enumerate(data.about.labels))]
        figure = lab_features.scatter(data, points(run), said)
        return [*chart.shown(figure), gr.Dropdown(labels, value=ALL[1]), ALL[1], ""]

    def choose(key: str, label: int, split: int) -> list[Any]:
        found = drawn(key)
        if found is None:
            return [*chart.shown(None), ""]
        run, data, said = found
        every = points(run)
        if label == split == ALL[1]:
            return [*chart.shown(lab_features.scatter(data, every, said)), ""]
        fits = ((every.classes == label) | (label == ALL[1])) & ((every.splits == split) | (split == ALL[1]))
        places = np.flatnonzero(fits).tolist()
        figure = lab_features.scatter(data, every, said, set(places))
        return [*chart.shown(figure), str(lab_features.listed(data, every, places))]

    def select(event: gr.EventData, key: str) -> str:
        found, places = drawn(key), getattr(event, "points", None)
        if found is None or not isinstance(places, list):
            return ""
        run, data, _ = found
        every = points(run)
        kept = sorted({at for at in places if isinstance(at, int) and 0 <= at < len(every.rows)})
        return str(lab_features.listed(data, every, kept)) if kept else ""

    def drawn(key: str) -> tuple[Run, Data, str] | None:
        """The last finished run, or a prepared one, with its data and what is said of it."""
        try:
            workspace = lab.workspaces.open(key)
            own = [run for run in find(workspace.runs) if run.spec.method == NAME]
            done = [run for run in own if run.state.phase is Phase.DONE and run.data]
            data = lab.data(workspace)
            run = done[-1] if done else prepared(workspace, data, NAME) if data else None
            if run is None or run.data is None:
                return None
            return run, run.data, ("" if done else "A prepared run. ") + _said(run, run.data)
        except TourError:
            return None

    watch.starts(start.click, begin, controls)
    watch.opens(tab.select)
    for event in (tab.select, ready.then):
        event(view, key, shown, **QUIET)
    watch.ended(view, [], shown)
    for control in (label, split):
        control.input(choose, [key, label, split], [*figure, listed], **QUIET)
    selecting: Any = figure[1]
    selecting.lasso(select, key, listed, **QUIET)


def _said(run: Run, data: Data) -> str:
    result = run.result
    said = [
        TEXTS["result.drawn"].format(
            data=data.about.title,
            shown=result["shown"],
            rows=result["rows"],
            layer=result["layer"],
            layers=result["layers"],
            model=run.spec.options["model"],
            pooling=result["pooling"],
            by=_BY[result["projection"]],
        )
    ]
    if held := result.get("held_out"):
        said.append(
            TEXTS["result.held_out"].format(
                rows=held["rows"], share=percent(held["share"], 0), chance=percent(held["chance"], 0)
            )
        )
    if result["explained"]:
        shares = " and ".join(percent(share, 0) for share in result["explained"])
        said.append(TEXTS["result.explained"].format(shares=shares))
    return " ".join(said)
