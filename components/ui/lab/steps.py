"""Pretraining, domain adaptation and fine-tuning: a visitor takes the three steps at small scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from components import texts
from components.figures import lab_language, status
from components.figures.markup import Markup, join
from components.lab.methods import adaptation, pretraining
from components.lab.methods.method import Method
from components.lab.runs import Phase, Run
from components.lab.workspace import Workspace
from components.models.checkpoint import Checkpoint, Head
from components.models.errors import TourError
from components.tasks.fields import option_fields
from components.ui import links
from components.ui.lab import watching
from components.ui.lab.form import control, values
from components.ui.page import Tour
from components.ui.slots import QUIET

TEXTS = texts.beside(__file__)

ENCODER, DECODER = "all-MiniLM-L6-v2", "SmolLM2-135M-Instruct"

Draw = Callable[[Run], Markup]


def steps(tour: Tour, key: gr.BrowserState, ready: Any) -> None:
    """Lays out the section; `ready` is the event after which `key` is there."""
    with gr.Tabs(elem_id="steps-tabs"):
        with gr.Tab("1 Pretrain", id="pretraining", elem_id="steps-tab-pretraining"):
            _say("pretraining")
            _step(
                tour, key, ready, pretraining.METHOD, ("text", "unit"), (), "Start pretraining", _pretrained
            )
        with gr.Tab("2 Adapt", id="adaptation", elem_id="steps-tab-adaptation"):
            _say("adaptation")
            _step(
                tour,
                key,
                ready,
                adaptation.METHOD,
                ("text", "model", "change", "prompt"),
                adaptation.HEADS,
                "Adapt",
                lambda run: _adapted(tour, run),
            )
        with gr.Tab("3 Fine-tune", id="fine-tuning", elem_id="steps-tab-fine-tuning"):
            gr.HTML(str(_fine_tuning()), elem_classes="story")


def _step(
    tour: Tour,
    key: gr.BrowserState,
    ready: Any,
    method: Method,
    first: Sequence[str],
    heads: Sequence[Head],
    label: str,
    draw: Draw,
) -> None:
    """A form, what is under way, and below both what came of it; options not among `first` are folded."""
    lab, slug = tour.lab, f"steps-{method.name}"
    fields = option_fields(method.options)
    controls: dict[str, Any] = {}

    def lay_out(*, folded: bool) -> None:
        for field in fields:
            if (field.name not in first) is folded:
                controls[field.name] = control(field, lab, key, f"{slug}-{field.name}", heads)

    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            lay_out(folded=False)
            with gr.Accordion("Options", open=False, elem_id=f"{slug}-options"):
                lay_out(folded=True)
            # Whoever pressed it before the workspace is open would see nothing of their run.
            start = gr.Button(
                "Opening your workspace …", variant="primary", interactive=False, elem_id=f"{slug}-start"
            )
        with gr.Column(scale=6, min_width=320):
            watch = watching.build(tour, key, slug, [method.name])
    result = gr.HTML(elem_id=f"{slug}-result", elem_classes="story")
    typed = [controls[field.name] for field in fields]

    def begin(workspace: Workspace, *typed: Any) -> Run:
        return lab.start(workspace, method.name, values(fields, typed), None)

    def show(key: str, ended: str | None) -> str:
        try:
            run = watching.watched(lab.workspaces.open(key), lab, ended)
        except TourError as error:
            return str(status.problem(error.message))
        return str(draw(run)) if run and run.state.phase is Phase.DONE else ""

    watch.starts(start.click, begin, typed)
    watch.opens(ready.then).then(lambda: gr.Button(label, interactive=True), None, start, **QUIET)
    watch.ended(show, [], [result])
    if "change" in controls:
        rates = adaptation.RATES
        controls["change"].change(rates.get, controls["change"], controls["learning_rate"], **QUIET)


def _pretrained(run: Run) -> Markup:
    return lab_language.pretrained(run.result)


def _adapted(tour: Tour, run: Run) -> Markup:
    """What has changed, and where the adapted checkpoint can be used."""
    drawn = lab_language.adapted(run.result)
    id = tour.lab.model_id(run)
    if id is None or id not in tour.registry.catalog:
        return drawn
    return drawn + _next(tour.registry.catalog[id], run.result["prompt"])


def _next(model: Checkpoint, prompt: str) -> Markup:
    places = {}
    if model.head is Head.CAUSAL_LM:
        places["Continue a text"] = links.page_link(
            "text-generation", prompt=prompt, mode="plain", model=model.id
        )
    else:
        places["Fill a gap"] = links.page_link("fill-mask", text=f"{prompt} [MASK].", model=model.id)
    places |= {
        "Show its attention": links.page_link(links.ATTENTION_PAGE, text=prompt, model=model.id),
        "Show its layers": links.page_link(links.LAYERS_PAGE, text=prompt, model=model.id),
        "Train a classifier on it": _training(model.id),
    }
    return TEXTS.html("adapted", model=model.id) + _links(places)


def _fine_tuning() -> Markup:
    return TEXTS.html("fine_tuning") + (
        _links(
            {
                "From MiniLM, an encoder": _training(ENCODER),
                "From SmolLM2, the plain decoder": _training(DECODER),
            }
        )
    )


def _training(model: str) -> str:
    return links.page_link("lab", tab="train", model=model)


def _links(places: dict[str, str]) -> Markup:
    return Markup('<ul class="story-links">{}</ul>').format(
        join(Markup('<li><a href="{}">{}</a></li>').format(href, label) for label, href in places.items())
    )


def _say(step: str) -> None:
    gr.HTML(str(TEXTS.html(step)), elem_classes="story")
