"""The attention page: which tokens each token reads from, in every layer and head of any checkpoint."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from components import texts
from components.figures import status
from components.figures.markup import Markup
from components.figures.tokens import chips
from components.insight.attention import TASK
from components.models.errors import TourError
from components.models.status import Availability
from components.tasks.explained import LONGEST
from components.ui import api_samples, asking, links, picker, slots
from components.ui.attention_view import DISPATCH, attention_view, look_at
from components.ui.page import PlainPage, Tour
from components.ui.slots import QUIET
from components.ui.visitor import browser_key

TEXTS = texts.beside(__file__)

SLUG = links.ATTENTION_PAGE
THERE = (Availability.LOADED, Availability.CACHED)
LINES: dict[str, object] = {"view": "lines", "words": False, "rollout": False, "special": True}
# By name: text, second text, model, and what is shown of it.
RUN = TEXTS["run"]
EXAMPLES: dict[str, tuple[tuple[str, str, str], dict[str, object]]] = {
    "Who was tired": (
        ("The cat sat on the mat because it was tired.", "", "all-MiniLM-L6-v2"),
        {**LINES, "layer": 3, "head": 1, "row": 8},
    ),
    "A pair of sentences": (
        ("A man plays the guitar.", "Somebody is making music.", "entailment"),
        {**LINES, "view": "heads", "layer": 0, "head": 2},
    ),
    "What comes next": (
        ("Mary gave John a book, and John gave Mary a", " pen.", "SmolLM2-135M-Instruct"),
        {**LINES, "view": "matrix", "layer": 11, "head": 1},
    ),
    "A translation": (
        ("The small cat sat on the mat.", "", "translator-en-de"),
        {**LINES, "kind": "cross", "layer": 1, "head": "mean", "words": True, "special": False},
    ),
}
# What the page opens with: stored, so that there is something to see before any model is on the host.
OPENING: dict[str, object] = dict(
    zip(("text", "text_pair", "model"), EXAMPLES["Who was tired"][0], strict=True)
)
COUNTED = str(status.hint(TEXTS["counted"]))
EXPLAINED = tuple(
    (view, TEXTS[f"views.{view}"], TEXTS[f"examples.{view}"], EXAMPLES[example][0][0])
    for view, example in (
        ("lines", "Who was tired"),
        ("matrix", "What comes next"),
        ("heads", "Who was tired"),
        ("cross", "A translation"),
    )
)


def build(tour: Tour, blocks: gr.Blocks) -> None:
    (text, pair, model), view = next(iter(EXAMPLES.values()))
    with gr.Row(equal_height=False, elem_classes="workbench"):
        with gr.Column(scale=6, min_width=320):
            first = gr.Textbox(
                text,
                label="Text",
                lines=3,
                max_lines=3,
                info=f"The first {LONGEST} tokens are shown.",
                elem_id=f"{SLUG}-text",
            )
            second = gr.Textbox(
                pair,
                label="Second text (optional)",
                lines=2,
                max_lines=2,
                info=TEXTS["second"],
                elem_id=f"{SLUG}-text_pair",
            )
        with gr.Column(scale=5, min_width=320):
            picked, about_model = picker.build(TASK, tour, value=model, elem_id=f"{SLUG}-model")
            look = gr.Button(RUN, variant="primary", elem_id=f"{SLUG}-run")
            buttons = slots.examples(SLUG, list(EXAMPLES))
    attention_view(f"{SLUG}-view", EXPLAINED, {**OPENING, **view})
    asked = [first, second, picked]
    asking.watch(blocks, asked, ["text", "text_pair", "model"], {}, RUN)
    code_panel(tour, asked)
    go = gr.Textbox("", visible="hidden", label="Whether to run at once")
    gr.on(
        [look.click, first.submit, second.submit],
        None,
        asked,
        None,
        js=look_at({}),
        api_visibility="private",
    )
    for button, (example, shown) in zip(buttons, EXAMPLES.values(), strict=True):
        button.click(lambda example=example: example, None, asked, **QUIET).then(
            None, asked, None, js=look_at(shown), api_visibility="private"
        )

    def restore(request: gr.Request) -> list[Any]:
        """What a link says; nothing is downloaded unasked. Without one the view opens with what is stored."""
        query = dict(request.query_params)
        id = query.get("model") or model
        given = "text" in query
        restored = [query["text"], query.get("text_pair", ""), id] if given else [gr.skip()] * 3
        linked = bool(query.keys() & {"text", "model"})
        go = linked and (query.get("run") == "1" or there(tour, id))
        return [*restored, json.dumps({} if given else view) if go else ""]

    blocks.load(restore, None, [*asked, go], **QUIET).then(
        None, [*asked, go], None, js=DISPATCH, api_visibility="private"
    )
    picker.keep_current(picked, about_model, TASK, tour, blocks, browser_key())


def there(tour: Tour, id: str) -> bool:
    return id in tour.registry.catalog and tour.registry.status(id).availability in THERE


def code_panel(tour: Tour, asked: list[Any]) -> None:
    """The request as a program and over the interfaces; written when it is opened."""

    def written(text: str, text_pair: str, model: str) -> list[str]:
        payload = {"text": text, "text_pair": text_pair, "model": model, "layer": 0, "head": 0}
        try:
            request = tour.runner.parse(TASK, payload)
        except TourError as error:
            return [f"# {error.message}", ""]
        code = TASK.snippet(request.checkpoint, request.inputs, request.options)
        return [code, api_samples.calls(TASK, payload, tour.origin)]

    code, api = written(*(box.value for box in asked))
    drawer, editors = slots.drawer(
        SLUG, "Code and API", slots.code_tab(code, COUNTED), slots.api_tab(api, COUNTED)
    )
    gr.on([drawer.expand, *(box.change for box in asked)], written, asked, editors, **QUIET)


PAGE = PlainPage(
    slug=SLUG,
    nav=TEXTS["nav"],
    title=TEXTS["title"],
    sentence=TEXTS["sentence"],
    build=build,
    group="Look inside",
    teaser=Markup("{} → {}").format("it", chips(["cat"])),
)
