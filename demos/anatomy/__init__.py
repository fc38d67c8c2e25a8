"""The anatomy page: any checkpoint opened up, from its first embedding to its last logit.

Each tab is a module of this folder, see `context.PageContext`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import gradio as gr

from components import javascript, texts
from components.figures.markup import Markup
from components.insight.anatomy import TASK
from components.models.errors import TourError
from components.models.status import Availability
from components.tasks.explained import LONGEST
from components.ui import api_samples, asking, picker, slots
from components.ui.page import PlainPage, Tour
from components.ui.slots import QUIET
from components.ui.visitor import browser_key
from demos.anatomy import ablation, positions, scaling, steps, structure
from demos.anatomy.context import SLUG, PageContext

TEXTS = texts.beside(str(__file__).replace("__init__", "page"))

THERE = (Availability.LOADED, Availability.CACHED)
RUN = TEXTS["run"]
EXAMPLES: dict[str, tuple[str, str, str]] = {
    "An encoder": ("The bank of the river was steep.", "", "all-MiniLM-L6-v2"),
    "A decoder": ("The capital of France is", "", "SmolLM2-135M-Instruct"),
    "An encoder-decoder": ("The small cat sat on the mat.", "", "translator-en-de"),
    "A classifier": ("The film is slow, but I loved every minute of it.", "", "sentiment"),
}
# What the page opens with: stored, so that there is something to see before any model is on the host.
OPENING: dict[str, object] = dict(
    zip(("text", "text_pair", "model"), next(iter(EXAMPLES.values())), strict=True)
)
# By id, as in links: title, and what fills it.
TABS: Mapping[str, tuple[str, Callable[[PageContext], None]]] = {
    "structure": ("Structure", structure.build),
    "steps": ("Step through", steps.build),
    "positions": ("Positions", positions.build),
    "ablation": ("Switch off", ablation.build),
    "scaling": ("Scale", scaling.build),
}


def build(tour: Tour, blocks: gr.Blocks) -> None:
    text, pair, model = next(iter(EXAMPLES.values()))
    with gr.Row(equal_height=False, elem_classes="workbench"):
        with gr.Column(scale=6, min_width=320):
            first = gr.Textbox(
                text,
                label="Text",
                lines=2,
                max_lines=3,
                info=f"The first {LONGEST} tokens are shown.",
                elem_id=f"{SLUG}-text",
            )
            second = gr.Textbox(
                pair,
                label="Second text (optional)",
                lines=1,
                max_lines=2,
                info=TEXTS["second"],
                elem_id=f"{SLUG}-text_pair",
            )
        with gr.Column(scale=5, min_width=320):
            picked, about_model = picker.build(TASK, tour, value=model, elem_id=f"{SLUG}-model")
            show = gr.Button(RUN, variant="primary", elem_id=f"{SLUG}-run")
            buttons = slots.examples(SLUG, list(EXAMPLES))
    part = gr.Textbox(
        "", label="Module", info=TEXTS["part"], max_lines=1, elem_id=f"{SLUG}-part", render=False
    )
    page = PageContext(
        tour=tour, blocks=blocks, text=first, text_pair=second, model=picked, show=show, part=part
    )
    with gr.Tabs(elem_id=f"{SLUG}-tabs") as tabs:
        for id, (title, fill) in TABS.items():
            with gr.Tab(title, id=id, elem_id=f"{SLUG}-tab-{id}") as tab:
                fill(replace(page, tab=tab))
    code_panel(page)
    asking.watch(blocks, page.asked, ["text", "text_pair", "model"], {}, RUN)
    run = javascript.call("anatomy", "show")
    gr.on(
        [show.click, first.submit, second.submit],
        None,
        page.asked,
        None,
        js=run,
        api_visibility="private",
    )
    for button, example in zip(buttons, EXAMPLES.values(), strict=True):
        button.click(lambda example=example: example, None, page.asked, **QUIET).then(
            None, page.asked, None, js=run, api_visibility="private"
        )
    go = gr.Textbox("", visible="hidden", label="Whether to run at once")

    def restore(request: gr.Request) -> list[Any]:
        """What a link says; nothing is downloaded unasked. Without one the page opens with what is stored."""
        query = dict(request.query_params)
        id = query.get("model") or model
        tab = query.get("tab")
        chosen = gr.Tabs(selected=tab) if tab in TABS else gr.skip()
        if not query.keys() & {"text", "model"}:
            return [*[gr.skip()] * 3, "stored", chosen]
        there = id in tour.registry.catalog and tour.registry.status(id).availability in THERE
        runs = "run" if query.get("run") == "1" or there else ""
        return [query.get("text", text), query.get("text_pair", ""), id, runs, chosen]

    blocks.load(restore, None, [*page.asked, go, tabs], **QUIET).then(
        None, [*page.asked, go], None, js=javascript.call("anatomy", "open"), api_visibility="private"
    )
    picker.keep_current(picked, about_model, TASK, tour, blocks, browser_key())


def code_panel(page: PageContext) -> None:
    """The request as a program and over the interfaces; written when it is opened. The program gives the
    tensor of any module."""
    tour = page.tour

    def written(text: str, text_pair: str, model: str, part: str) -> list[str]:
        payload = {"text": text, "text_pair": text_pair, "model": model, "part": part}
        try:
            request = tour.runner.parse(TASK, payload)
        except TourError as error:
            return [f"# {error.message}", ""]
        code = TASK.snippet(request.checkpoint, request.inputs, request.options)
        return [code, api_samples.calls(TASK, payload, tour.origin)]

    code, api = written(page.text.value, page.text_pair.value, page.model.value, "")
    drawer, editors = slots.drawer(
        SLUG, "Code and API", slots.code_tab(code, TEXTS.line("code")), slots.api_tab(api)
    )
    with drawer:
        page.part.render()
    asked: list[Any] = [*page.asked, page.part]
    changes = [drawer.expand, *(box.change for box in asked)]
    gr.on(changes, written, asked, editors, trigger_mode="always_last", **QUIET)


PAGE = PlainPage(
    slug=SLUG,
    nav=TEXTS["nav"],
    title=TEXTS["title"],
    sentence=TEXTS["sentence"],
    build=build,
    group="Look inside",
    teaser=Markup("30 × (attention + feed-forward)"),
)
