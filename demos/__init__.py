"""The pages, and the app that they make up. A new page is one module here and one line in `PAGES`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import gradio as gr

from components.address import Published
from components.figures.markup import Markup
from components.insight.anatomy import TASK as ANATOMY
from components.insight.attention import TASK as ATTENTION
from components.insight.attribution import TASK as ATTRIBUTION
from components.insight.layers import TASK as LAYERS
from components.insight.overview import TOOL as TOUR
from components.lab.lab import Lab
from components.models.catalog import Catalog
from components.models.registry import Registry
from components.shell import BASE, Shell
from components.tasks.runner import Runner
from components.tasks.task import Operation
from components.tasks.tokenize import TOOL as TOKENIZE
from components.temporary import TemporaryFiles
from components.ui import chrome
from components.ui.blocks import PrivateBlocks
from components.ui.frame import first_paint, task_page
from components.ui.guides import Guides
from components.ui.page import TaskPage, Tour
from demos import (
    anatomy,
    api,
    attention,
    attribution,
    examples,
    feature_extraction,
    fill_mask,
    home,
    lab,
    layers,
    models,
    named_entities,
    question_answering,
    search,
    sentence_similarity,
    story,
    summarization,
    table_question_answering,
    text_classification,
    text_generation,
    text_pair_classification,
    tokenizers,
    tours,
    translation,
    zero_shot_classification,
)

PAGES = (
    text_classification.PAGE,
    text_pair_classification.PAGE,
    named_entities.PAGE,
    question_answering.PAGE,
    summarization.PAGE,
    translation.PAGE,
    sentence_similarity.PAGE,
    feature_extraction.PAGE,
    text_generation.PAGE,
    fill_mask.PAGE,
    zero_shot_classification.PAGE,
    table_question_answering.PAGE,
    tokenizers.PAGE,
    attention.PAGE,
    attribution.PAGE,
    layers.PAGE,
    anatomy.PAGE,
    lab.PAGE,
    story.PAGE,
    models.PAGE,
)

TASKS = tuple(page.task for page in PAGES if isinstance(page, TaskPage))
# What the interfaces serve.
OPERATIONS: tuple[Operation, ...] = (*TASKS, TOKENIZE, ATTENTION, ATTRIBUTION, LAYERS, ANATOMY, TOUR)


def build(
    registry: Registry,
    runner: Runner,
    lab: Lab,
    published: Published,
    files: TemporaryFiles,
    *,
    most_waiting: int,
    register: Callable[[gr.Blocks], None],
) -> gr.Blocks:
    """One Blocks with a route per page; `published` is where visitors reach it, for the API calls shown;
    `files` is where what they download lies. `register` adds endpoints that belong to no page."""
    tour = Tour(
        registry=registry,
        runner=runner,
        lab=lab,
        profile=runner.profile,
        pages=PAGES,
        examples={task.name: examples.load(task) for task in TASKS},
        published=published,
        files=files,
    )
    # Gradio keeps what is uploaded to it, though no page asks for a file: an hour at most.
    with PrivateBlocks(
        most_waiting=most_waiting, title=chrome.NAME, analytics_enabled=False, delete_cache=(3600, 3600)
    ) as blocks:
        home.build(tour, blocks)
        chrome.tell_mounted(blocks)
        # As `Blocks.route` does, which leaves and enters the app for each page and makes it anew every time:
        # five times the processor time in all.
        for page in PAGES:
            blocks.pages.append((page.slug, page.title, True))
            blocks.current_page = page.slug
            if isinstance(page, TaskPage):
                task_page(page, tour, blocks)
            else:
                page.build(tour, blocks)
            chrome.tell_mounted(blocks)
        blocks.current_page = ""  # else endpoints would belong to the last page, and be listed nowhere
        register(blocks)
    return blocks


def surroundings(blocks: gr.Blocks) -> dict[str, Shell]:
    """The HTML around what `build` makes, by the page's address; the home page's is empty."""
    built = {elem_id: block for block in blocks.blocks.values() if (elem_id := block.elem_id)}
    return {
        "": chrome.surroundings(PAGES, None, first_paint=home.first_paint(built)),
        **{
            page.slug: chrome.surroundings(PAGES, page, first_paint=first_paint(page, built))
            if isinstance(page, TaskPage)
            else chrome.surroundings(PAGES, page)
            for page in PAGES
        },
    }


def documents() -> dict[str, Shell]:
    """The pages that are all HTML, by their address."""
    content = api.content(OPERATIONS, BASE)
    return {
        api.SLUG: chrome.document(PAGES, api.TITLE, api.SENTENCE, content),
        tours.SLUG: chrome.document(PAGES, tours.TITLE, tours.SENTENCE, tours.content(), script="tours"),
    }


def found(catalog: Catalog) -> list[dict[str, str]]:
    """What the search finds, as JSON."""
    return [asdict(entry) for entry in search.entries(PAGES, OPERATIONS, catalog)]


def guided() -> Guides:
    """The tours, for the server."""
    return Guides(tours.tours())


def lost() -> Shell:
    """The page for addresses that do not exist; the server fills in `%PATH%` and `%GUESS%`."""
    return chrome.document(
        PAGES, "Page not found", "There is no page at %PATH%.", Markup('<p class="guess">%GUESS%</p>')
    )
