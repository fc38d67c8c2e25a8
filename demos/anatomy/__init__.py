"""The anatomy page: any checkpoint opened up, from its first embedding to its last logit.

Each tab is a module of this folder, see `context.PageContext`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import gradio as gr

from components import texts
from components.figures.markup import Markup
from components.insight.anatomy import TASK
from components.tasks.explained import LONGEST
from components.ui import picker, slots
from components.ui.page import PlainPage, Tour
from components.ui.visitor import browser_key
from demos.anatomy import ablation, positions, scaling, steps, structure
from demos.anatomy.context import SLUG, PageContext

TEXTS = texts.beside(str(__file__).replace("__init__", "page"))

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
            show = gr.Button(TEXTS["run"], variant="primary", elem_id=f"{SLUG}-run")
            buttons = slots.examples(SLUG, list(EXAMPLES))
    page = PageContext(tour=tour, blocks=blocks, text=first, text_pair=second, model=picked, show=show)
    with gr.Tabs(elem_id=f"{SLUG}-tabs"):
        for id, (title, fill) in TABS.items():
            with gr.Tab(title, id=id, elem_id=f"{SLUG}-tab-{id}"):
                fill(page)
    for button, example in zip(buttons, EXAMPLES.values(), strict=True):
        button.click(lambda example=example: example, None, page.asked, **slots.QUIET)
    picker.keep_current(picked, about_model, TASK, tour, blocks, browser_key())


PAGE = PlainPage(
    slug=SLUG,
    nav=TEXTS["nav"],
    title=TEXTS["title"],
    sentence=TEXTS["sentence"],
    build=build,
    group="Look inside",
    teaser=Markup("30 × (attention + feed-forward)"),
)
