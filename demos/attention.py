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
from components.ui import links, two_texts
from components.ui.attention_view import SHOW_LINKED, attention_view, show
from components.ui.page import PlainPage, Tour
from components.ui.slots import QUIET

TEXTS = texts.beside(__file__)

SLUG = links.ATTENTION_PAGE
LINES: dict[str, object] = {"view": "lines", "words": False, "rollout": False, "special": True}
# By name: text, second text, model, and what is shown of it.
EXAMPLES: dict[str, tuple[two_texts.Request, dict[str, object]]] = {
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
    opening, view = next(iter(EXAMPLES.values()))
    form = two_texts.build(
        TASK, tour, SLUG, opening, labels=list(EXAMPLES), run=TEXTS["run"], second=TEXTS["second"], lines=3
    )
    attention_view(f"{SLUG}-view", EXPLAINED, {**OPENING, **view})
    requested = {"text": form.text, "text_pair": form.text_pair, "model": form.model}
    first_cell = {"layer": 0, "head": 0}
    two_texts.code_panel(SLUG, TASK, tour, requested, first_cell, code_note=COUNTED, api_note=COUNTED)
    examples = [(example, show(shown)) for example, shown in EXAMPLES.values()]
    two_texts.wire(form, TASK, tour, blocks, show({}), examples)
    go = gr.Textbox("", visible="hidden", label="Whether to run at once")

    def restore(request: gr.Request) -> list[Any]:
        """What a link says; nothing is downloaded unasked. Without one the view opens with what is stored."""
        query = dict(request.query_params)
        id = query.get("model") or opening[2]
        given = "text" in query
        restored = [query["text"], query.get("text_pair", ""), id] if given else [gr.skip()] * 3
        linked = bool(query.keys() & {"text", "model"})
        go = linked and (query.get("run") == "1" or two_texts.there(tour, id))
        return [*restored, json.dumps({} if given else view) if go else ""]

    blocks.load(restore, None, [*form.asked, go], **QUIET).then(
        None, [*form.asked, go], None, js=SHOW_LINKED, api_visibility="private"
    )


PAGE = PlainPage(
    slug=SLUG,
    nav=TEXTS["nav"],
    title=TEXTS["title"],
    sentence=TEXTS["sentence"],
    build=build,
    group="Look inside",
    teaser=Markup("{} → {}").format("it", chips(["cat"])),
)
