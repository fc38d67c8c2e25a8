"""A small experiment on a page: texts to change, a measurement that can be stopped, and its figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from components import texts
from components.figures import status
from components.figures.markup import Markup
from components.tasks.runner import Runner
from components.ui import slots
from components.ui.driver import Problem, driven
from components.ui.line import QUEUED, in_line
from components.ui.page import Tour
from components.ui.slots import QUIET, switches

TEXTS = texts.beside(__file__)
LONGEST = 2000  # characters of a text

Json = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """`measure` yields results, each with the `share` that is done; `draw` makes a figure of one.

    `boxes` are texts by the labels of their boxes, as `stored`, a result, was measured with.
    """

    name: str
    run: str
    measure: Callable[[Runner, Sequence[str]], Iterator[Json]]
    draw: Callable[[Json], Markup]
    stored: Json
    boxes: Mapping[str, str] = field(default_factory=dict)


def experiment(tour: Tour, one: Experiment) -> None:
    """Lays out the experiment; the stored result is there from the start."""
    slug = f"experiment-{one.name}"
    with gr.Row(equal_height=False, elem_classes="experiment"):
        with gr.Column(scale=5, min_width=300):
            boxes = [
                gr.Textbox(
                    value,
                    label=label,
                    lines=value.count("\n") + 2,
                    max_lines=8,
                    max_length=LONGEST,
                    elem_id=f"{slug}-text-{place}",
                )
                for place, (label, value) in enumerate(one.boxes.items())
            ]
            actions = slots.actions(slug, one.run, link=False)
            said = gr.HTML(str(status.hint(TEXTS["stored"])), elem_id=f"{slug}-status", elem_classes="status")
        with gr.Column(scale=6, min_width=300):
            figure = gr.HTML(
                str(one.draw(one.stored)),
                elem_id=f"{slug}-result",
                elem_classes="experiment-result attribution",
            )
    outputs = [figure, said, actions.run, actions.stop]

    def measure(*typed: str) -> Iterator[list[Any]]:
        yield [gr.skip(), str(status.progress("Starting", None)), *switches(running=True)]
        ended = TEXTS["measured"]
        for step in driven(one.name, lambda: one.measure(tour.runner, typed)):
            if isinstance(step, Problem):
                yield [gr.skip(), str(step.figure), *switches(running=False)]
                return
            drawn = gr.skip() if not step["share"] else str(one.draw(step))
            yield [drawn, str(status.progress("Measuring", step["share"])), gr.skip(), gr.skip()]
        yield [gr.skip(), str(status.hint(ended)), *switches(running=False)]

    def waiting(progress: str) -> list[Any]:
        return [gr.skip(), progress, *switches(running=True)]

    running = actions.run.click(in_line(tour.line, measure, waiting), boxes, outputs, **QUEUED)
    slots.stops(actions, [running], said, words=TEXTS["stopped"])
    for box in boxes:
        box.change(lambda: str(status.hint(TEXTS["changed"])), None, said, **QUIET)
