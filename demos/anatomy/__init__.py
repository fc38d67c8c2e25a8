"""The anatomy page: any checkpoint opened up, from its first embedding to its last logit.

Each tab is a module of this folder, see `context.PageContext`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from components import javascript, texts
from components.figures.markup import Markup
from components.insight.anatomy import TASK
from components.ui import two_texts
from components.ui.page import PlainPage, Tour
from components.ui.slots import QUIET
from demos.anatomy import ablation, positions, scaling, steps, structure
from demos.anatomy.context import SLUG, PageContext

TEXTS = texts.beside(str(__file__).replace("__init__", "page"))

EXAMPLES: dict[str, two_texts.Request] = {
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
    opening = text, _, model = next(iter(EXAMPLES.values()))
    form = two_texts.build(
        TASK, tour, SLUG, opening, labels=list(EXAMPLES), run=TEXTS["run"], second=TEXTS["second"], lines=2
    )
    part = gr.Textbox(
        "", label="Module", info=TEXTS["part"], max_lines=1, elem_id=f"{SLUG}-part", render=False
    )
    with gr.Tabs(elem_id=f"{SLUG}-tabs") as tabs:
        for id, (title, fill) in TABS.items():
            with gr.Tab(title, id=id, elem_id=f"{SLUG}-tab-{id}") as tab:
                fill(PageContext(tour=tour, blocks=blocks, form=form, part=part, tab=tab))
    requested = {"text": form.text, "text_pair": form.text_pair, "model": form.model, "part": part}
    with two_texts.code_panel(SLUG, TASK, tour, requested, {}, code_note=TEXTS.line("code")):
        part.render()
    run = javascript.call("anatomy", "show")
    two_texts.wire(form, TASK, tour, blocks, run, [(example, run) for example in EXAMPLES.values()])
    go = gr.Textbox("", visible="hidden", label="Whether to run at once")

    def restore(request: gr.Request) -> list[Any]:
        """What a link says; nothing is downloaded unasked. Without one the page opens with what is stored."""
        query = dict(request.query_params)
        id = query.get("model") or model
        tab = query.get("tab")
        chosen = gr.Tabs(selected=tab) if tab in TABS else gr.skip()
        if not query.keys() & {"text", "model"}:
            return [*[gr.skip()] * 3, "stored", chosen]
        runs = "run" if query.get("run") == "1" or two_texts.there(tour, id) else ""
        return [query.get("text", text), query.get("text_pair", ""), id, runs, chosen]

    blocks.load(restore, None, [*form.asked, go, tabs], **QUIET).then(
        None, [*form.asked, go], None, js=javascript.call("anatomy", "open"), api_visibility="private"
    )


PAGE = PlainPage(
    slug=SLUG,
    nav=TEXTS["nav"],
    title=TEXTS["title"],
    sentence=TEXTS["sentence"],
    build=build,
    group="Look inside",
    teaser=Markup("30 × (attention + feed-forward)"),
)
