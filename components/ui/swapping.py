"""The panel that asks the same about somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from components import texts
from components.figures import status
from components.ui.answering import PageController
from components.ui.line import QUEUED, in_line
from components.ui.streaming import Wiring, streamed

TEXTS = texts.beside(__file__)


@dataclass(frozen=True, kw_only=True)
class Panel:
    start: gr.Button
    progress: gr.HTML
    moves: gr.HTML


def build(controller: PageController) -> Panel:
    slug = controller.page.slug
    with gr.Accordion(
        "Swap names and genders (bias check)",
        open=False,
        elem_id=f"{slug}-swap",
        visible=controller.page.scored is not None,
    ):
        gr.HTML(str(status.hint(TEXTS["about"])))
        start = gr.Button("Swap and compare", elem_id=f"{slug}-swap-start")
        progress = gr.HTML(elem_id=f"{slug}-swap-progress", elem_classes="status")
        moves = gr.HTML(elem_id=f"{slug}-swapped", elem_classes="compared")
    return Panel(start=start, progress=progress, moves=moves)


def wire(controller: PageController, panel: Panel, wiring: Wiring) -> list[Any]:
    """Returns the events that run."""

    def start(*form_values: Any) -> Iterator[list[Any]]:
        yield from streamed(controller.swapped(form_values), wiring.switches)

    return [
        panel.start.click(
            in_line(wiring.line, start, lambda progress: wiring.waiting(progress, gr.skip())),
            wiring.asked,
            [panel.moves, panel.progress, *wiring.buttons],
            **QUEUED,
        )
    ]
