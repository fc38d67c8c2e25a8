"""The tokenizers page: how text becomes numbers, with any tokenizer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import gradio as gr

from components import texts
from components.figures.markup import Markup
from components.figures.tokens import chips
from components.tasks.tokenize import DEFAULT, LONGEST, MOST
from components.ui import links, slots
from components.ui.aligned_tokenizations import aligned_tokenizations, dispatch_tokenize
from components.ui.page import PlainPage, Tour
from components.ui.slots import QUIET
from components.ui.tokenizer_panels import (
    code_panel,
    families_panel,
    follow,
    steps_panel,
    tensors_panel,
    training_panel,
    transplant_panel,
)

TEXTS = texts.beside(__file__)

SLUG = links.TOKENIZERS_PAGE
NAMES = ["text", "tokenizers", "price"]
BYTES, SHIPPED = "SmolLM2-135M-Instruct", "translator-en-de"
TEASER = ("Untokenizable", ["Unto", "ken", "iza", "ble"])  # a word, and what MiniLM makes of it
EXAMPLES: Mapping[str, str] = TEXTS.data["requests"]


def build(tour: Tour, blocks: gr.Blocks) -> None:
    first = next(iter(EXAMPLES.values()))
    with gr.Row(equal_height=False, elem_classes="workbench"):
        with gr.Column(scale=6, min_width=320):
            text = gr.Textbox(
                first,
                label="Text",
                lines=6,
                max_lines=6,  # the same, or Gradio would measure a long text at every key
                elem_id=f"{SLUG}-text",
                info=f"Up to {LONGEST:,} characters.",
            )
        with gr.Column(scale=5, min_width=320):
            picked = gr.Dropdown(
                choices(tour),
                value=opening(tour),
                multiselect=True,
                max_choices=MOST,
                allow_custom_value=True,  # what was trained here has a name too
                label="Tokenizers",
                info=f"Up to {MOST}"
                + (", also ids of models on the Hub, as owner/name." if tour.registry.open else "."),
                elem_id=f"{SLUG}-picked",
            )
            price = gr.Number(
                None,
                label="Price per million tokens",
                info=TEXTS["price"],
                minimum=0,
                elem_id=f"{SLUG}-price",
            )
            examples = slots.examples(SLUG, list(EXAMPLES))
            with gr.Row(elem_classes="actions"):
                taking = slots.taking(SLUG)
    lanes = aligned_tokenizations(f"{SLUG}-lanes")
    dispatch_tokenize(blocks, text, picked, price)
    with gr.Tabs(elem_id=f"{SLUG}-tabs"):
        live = [families_panel(text), steps_panel(text), tensors_panel()]
        training_panel(tour, text, picked)
        transplant_panel(tour, text, picked)
        code_panel(tour, text, picked)
    follow(tour, lanes, text, picked, live)
    for button, example in zip(examples, EXAMPLES.values(), strict=True):
        button.click(lambda example=example: example, None, text, **QUIET)
    slots.takes(taking, [text, picked, price], NAMES, {})

    def restore(request: gr.Request) -> list[Any]:
        query = dict(request.query_params)
        asked = [id for id in query.get("tokenizers", "").split(",") if id][:MOST]
        return [query.get("text", gr.skip()), asked or opening(tour), price_of(query.get("price", ""))]

    blocks.load(restore, None, [text, picked, price], **QUIET)


def opening(tour: Tour) -> list[str]:
    """Two of different families, the second on this host already: nobody waits for what they did not pick."""
    return [DEFAULT, BYTES if tour.registry.status(BYTES).availability.on_host else SHIPPED]


def price_of(text: str) -> float | None:
    """What a link says that a million tokens cost; None where it says nothing that can be."""
    try:
        price = float(text)
    except ValueError:
        return None
    return price if 0 < price < math.inf else None


def choices(tour: Tour) -> list[tuple[str, str]]:
    """The checkpoints that have a tokenizer of their own."""
    return [(one.title, one.id) for one in tour.registry.catalog if one.body is None]


PAGE = PlainPage(
    slug=SLUG,
    nav=TEXTS["nav"],
    title=TEXTS["title"],
    sentence=TEXTS["sentence"],
    build=build,
    group="Look inside",
    teaser=Markup("{} → {}").format(TEASER[0], chips(TEASER[1])),
)
