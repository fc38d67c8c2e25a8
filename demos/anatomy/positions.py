"""A tab of the anatomy page: what positions look like to a model, and what it makes of other ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from components import texts
from components.figures import positions as figures
from components.figures import status
from components.figures.markup import Markup
from components.insight.placement import Positions
from components.insight.positions import TASK
from components.ui import chart
from components.ui.line import QUEUED, in_line
from demos.anatomy.context import SLUG, PageContext
from demos.anatomy.runs import asked, opens

TEXTS = texts.beside(__file__)

MAPS = 2  # that are drawn: an encoder's and a decoder's, or two kinds of layers


def build(page: PageContext) -> None:
    gr.HTML(str(status.hint(TEXTS["about"])))
    with gr.Row(equal_height=False):
        seed = gr.Number(
            0,
            label="Order",
            info="Each number shuffles the words in its own way.",
            precision=0,
            minimum=0,
            maximum=1_000_000,
            elem_id=f"{SLUG}-positions-seed",
        )
        run = gr.Button("Compare orders", variant="primary", elem_id=f"{SLUG}-positions-run")
    line = gr.HTML(
        str(status.hint(TEXTS["empty"])), elem_id=f"{SLUG}-positions-status", elem_classes="status"
    )
    order = gr.HTML("", elem_id=f"{SLUG}-positions-order")
    changed = chart.place(f"{SLUG}-positions-changed")
    maps: list[Any] = []
    for number in range(MAPS):
        maps.append(gr.HTML("", elem_id=f"{SLUG}-positions-map-{number}"))
        maps += chart.place(f"{SLUG}-positions-similarity-{number}")
        maps += chart.place(f"{SLUG}-positions-distance-{number}")
    outputs = [line, order, *changed, *maps]

    def waiting(shown: Any) -> list[Any]:
        return [shown, *[gr.skip()] * (len(outputs) - 1)]

    def shuffle(text: str, text_pair: str, model: str, seed: float | None) -> Iterator[list[Any]]:
        yield waiting(str(status.progress("Starting", None)))
        payload = {"text": text, "text_pair": text_pair, "model": model, "seed": int(seed or 0)}
        for step in asked(page.tour, TASK, payload):
            yield waiting(str(step)) if isinstance(step, Markup) else drawn(*step)

    def drawn(said: Markup, found: Positions) -> list[Any]:
        views: list[Any] = []
        for number in range(MAPS):
            if number < len(found.maps):
                own = found.maps[number]
                views.append(str(figures.heading(own)))
                views += [*chart.shown(figures.similarity(own)), *chart.shown(figures.by_distance(own))]
            else:
                views += ["", *chart.shown(None), *chart.shown(None)]
        if len(found.maps) > MAPS:
            said += status.hint(TEXTS["more"].format(count=len(found.maps), shown=MAPS))
        return [str(said), str(figures.order(found)), *chart.shown(figures.changed(found)), *views]

    opening = opens(page, shuffle, waiting, [seed], outputs, order)
    gr.on(
        [run.click, seed.submit],
        in_line(page.tour.line, shuffle, waiting),
        [*page.asked, seed],
        outputs,
        cancels=[opening],
        **QUEUED,
    )
