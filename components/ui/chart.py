"""A Plotly chart on a page, with what is said of it and its numbers below."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.components.plot import PlotData

from components import javascript
from components.figures.chart import Chart
from components.figures.markup import Markup


def place(elem_id: str, *code: str) -> tuple[gr.Plot, gr.HTML]:
    """Where an event draws a chart, so that Plotly is not imported when pages are built; `code` (of
    `javascript.start`) works on the table below.

    `chart.js` clicks the button below that has the `data-row` and `data-column` of a point that is clicked,
    and makes a selection in the figure an event, "lasso", of the HTML.
    """
    with gr.Column(elem_id=elem_id, elem_classes="chart"):
        plot = gr.Plot(show_label=False, container=False, **_plot(None))
        below = gr.HTML("", js_on_load=" ".join((javascript.start("chart", "lasso"), *code)))
    return plot, below


def shown(drawn: Chart | Markup | None) -> list[Any]:
    """Values for the two: a chart, or what is said in its place."""
    return [gr.Plot(**_plot(drawn)), _below(drawn)]


def _plot(drawn: Chart | Markup | None) -> dict[str, Any]:
    if isinstance(drawn, Chart):
        return {"value": PlotData(type="plotly", plot=drawn.json()), "visible": True}
    return {"value": None, "visible": False}


def _below(drawn: Chart | Markup | None) -> str:
    return str(drawn.below() if isinstance(drawn, Chart) else drawn or "")
