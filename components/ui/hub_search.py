"""Looking for checkpoints on the Hub: by words, task, language and size; reading their cards; adding them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from components import texts
from components.figures import status
from components.figures.card import model_card
from components.figures.markup import Markup, byte_size, join
from components.models.checkpoint import Checkpoint
from components.models.errors import TourError
from components.models.sources.lookup import MOST_FOUND, Found
from components.tasks.languages import LANGUAGES
from components.ui import links
from components.ui.page import TaskPage, Tour

TEXTS = texts.beside(__file__)

SIZES = {
    "any size": None,
    "up to 50 M parameters": "max:50M",
    "50 to 150 M": "min:50M,max:150M",
    "150 to 500 M": "min:150M,max:500M",
    "500 M to 2 billion": "min:500M,max:2B",
}


def build(tour: Tour, added: Callable[[], Mapping[str, Any]], table: gr.HTML) -> None:
    """Once a checkpoint was added, `added()` is the new value of `table`."""
    gr.HTML(
        str(TEXTS.html("open" if tour.registry.open else "closed")),
        elem_classes="hub-search",
    )
    if not tour.registry.open:
        return
    quiet: dict[str, Any] = {"queue": False, "show_progress": "minimal", "api_visibility": "private"}
    tasks = [(page.task.title, page.task.name) for page in tour.pages if isinstance(page, TaskPage)]
    languages = sorted((language.name, code) for code, language in LANGUAGES.items())
    with gr.Row(equal_height=False):
        words = gr.Textbox(
            label="Words", placeholder="distilbert emotion", elem_id="hub-words", scale=2, min_width=220
        )
        task = gr.Dropdown(
            [("any task", ""), *tasks], value="", label="Task", min_width=220, elem_id="hub-task"
        )
        language = gr.Dropdown(
            [("any language", ""), *languages],
            value="",
            label="Language",
            min_width=220,
            elem_id="hub-language",
        )
        size = gr.Dropdown(
            list(SIZES), value=next(iter(SIZES)), label="Size", min_width=220, elem_id="hub-size"
        )
    search = gr.Button("Search the Hub", elem_id="hub-search", variant="primary")
    said = gr.HTML(elem_id="hub-said", elem_classes="status")
    found = gr.Radio([], visible=False, elem_id="hub-found", elem_classes="hub-found")
    about = gr.HTML(elem_id="hub-about", elem_classes="about-model")
    add = gr.Button("Add to the pickers", visible=False, elem_id="hub-add")
    card = gr.HTML(elem_id="hub-card", elem_classes="card-holder")

    def look(words: str, task: str, language: str, size: str) -> list[Any]:
        nothing = ["", gr.Button(visible=False), ""]
        try:
            rows = tour.registry.search(
                words, task=task or None, language=language or None, parameters=SIZES[size]
            )
        except TourError as error:
            return [str(status.problem(error.message)), gr.Radio(visible=False), *nothing]
        if not rows:
            return [
                str(status.hint(TEXTS["nothing"])),
                gr.Radio(visible=False),
                *nothing,
            ]
        many = f"The {MOST_FOUND} most downloaded" if len(rows) == MOST_FOUND else f"{len(rows)} found"
        return [
            "",
            gr.Radio([(line(row), row.id) for row in rows], value=None, label=many, visible=True),
            *nothing,
        ]

    def describe(id: str) -> list[Any]:
        try:
            checkpoint = tour.registry.describe(id)
        except TourError as error:
            return [str(status.problem(error.message)), gr.Button(visible=False), ""]
        return [
            what(tour, checkpoint),
            gr.Button(visible=id not in tour.registry.catalog),
            card_of(tour, checkpoint),
        ]

    def adopt(id: str) -> list[Any]:
        try:
            checkpoint = tour.registry.adopt(id)
        except TourError as error:
            return [str(status.problem(error.message)), gr.skip(), gr.skip()]
        return [what(tour, checkpoint), gr.Button(visible=False), added()]

    gr.on(
        [search.click, words.submit],
        look,
        [words, task, language, size],
        [said, found, about, add, card],
        **quiet,
    )
    found.input(describe, found, [about, add, card], **quiet)
    add.click(adopt, found, [about, add, table], **quiet)


def line(row: Found) -> str:
    """One result in a line of text."""
    facts = (
        row.id,
        row.task and row.task.replace("-", " "),
        f"{row.parameters / 1e6:,.1f} M parameters" if row.parameters else None,
        row.licence,
        f"{row.downloads:,} downloads",
        "asks for its terms to be accepted" if row.gated else None,
    )
    return " · ".join(filter(None, facts))


def what(tour: Tour, checkpoint: Checkpoint) -> str:
    """What it is, how large, and what it can do; with links to where, once it is in the catalog."""
    there = checkpoint.id in tour.registry.catalog
    pages = [page for page in tour.pages if isinstance(page, TaskPage) and page.task.name in checkpoint.tasks]
    named = (
        Markup('<a href="{}">{}</a>').format(links.page_link(page.slug, model=checkpoint.id), page.task.title)
        if there
        else page.task.title
        for page in pages
    )
    return str(
        Markup("<p>{about}</p><p class='facts'>download {size} · {licence} · {place} {pages}</p>").format(
            about=checkpoint.about,
            size=byte_size(checkpoint.download_bytes),
            licence=checkpoint.licence,
            place="Now in the pickers of" if there else "can do",
            pages=join(named, ", "),
        )
    )


def card_of(tour: Tour, checkpoint: Checkpoint) -> str:
    """The model card, drawn; or why there is none to read."""
    try:
        text = tour.registry.card(checkpoint)
    except TourError as error:
        return str(status.problem(error.message))
    if not text.strip():
        return str(status.hint(f"{checkpoint.id} has no model card."))
    return str(
        Markup("<details open><summary>Model card of {id}</summary>{card}{hint}</details>").format(
            id=checkpoint.id, card=model_card(text), hint=status.hint(TEXTS["card"])
        )
    )
