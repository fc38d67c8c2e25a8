"""The home page: what this is, and a card per page with a small real result."""

from __future__ import annotations

from itertools import groupby

import gradio as gr

from components.figures.markup import Markup, join
from components.ui.page import PlainPage, TaskPage, Tour


def build(tour: Tour, blocks: gr.Blocks) -> None:
    groups = groupby(tour.pages, key=lambda page: page.group)
    gr.HTML(
        join(
            Markup("<section><h2>{}</h2><ul>{}</ul></section>").format(
                group, join(card(page, tour) for page in pages)
            )
            for group, pages in groups
        ),
        elem_classes="cards",
    )


def card(page: TaskPage | PlainPage, tour: Tour) -> Markup:
    if isinstance(page, TaskPage):
        example = tour.examples[page.task.name][0]
        result = page.teaser(example.payload, example.answer)
    else:
        result = page.teaser
    if result:
        result = Markup('<span class="card-result">{}</span>').format(result)
    return Markup(
        '<li><a href="./{slug}"><span class="card-title">{title}</span>'
        '<span class="card-sentence">{sentence}</span>{result}</a></li>'
    ).format(slug=page.slug, title=page.title, sentence=page.sentence, result=result)
