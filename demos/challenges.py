"""The story's experiments: what each measures, with which texts, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import gradio as gr

from components import texts
from components.figures import challenges as figures
from components.figures.few_labels import few_labels
from components.figures.markup import Markup
from components.insight import challenges
from components.tasks.runner import Runner
from components.ui import chart
from components.ui.experiment import Experiment, experiment
from components.ui.page import Tour
from components.ui.slots import QUIET

TEXTS = texts.beside(__file__)

Json = Mapping[str, Any]
Measure = Callable[[Runner, Sequence[str]], Iterator[Json]]

FEW_LABELS = "few-labels"
MEASURES: Mapping[str, tuple[Measure, Callable[[Json], Markup]]] = {
    "languages": (challenges.languages, figures.languages),
    "length": (challenges.length, figures.length),
    "explanations": (challenges.explanations, figures.explanations),
    "bias": (challenges.bias, figures.bias),
}
ORDER = ("languages", FEW_LABELS, "length", "explanations", "bias")


def boxes(name: str) -> Mapping[str, str]:
    """The texts that an experiment starts with, by their boxes' labels."""
    return {label: text.strip() for label, text in TEXTS.data["boxes"].get(name, {}).items()}


def build(tour: Tour, blocks: gr.Blocks) -> None:
    for name in ORDER:
        gr.HTML(
            str(Markup("<h3>{}</h3>{}").format(TEXTS[f"{name}.title"], TEXTS.html(f"{name}.text"))),
            elem_classes="story",
        )
        if name == FEW_LABELS:
            blocks.load(lambda: chart.shown(few_labels()), None, [*chart.place("few-labels")], **QUIET)
        else:
            measure, draw = MEASURES[name]
            experiment(
                tour,
                Experiment(
                    name=name,
                    run=TEXTS[f"{name}.run"],
                    measure=measure,
                    draw=draw,
                    stored=challenges.stored(name),
                    boxes=boxes(name),
                ),
            )
