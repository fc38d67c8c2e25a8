"""The ways from an answer to what looks inside it, with its text, model and prediction."""

from __future__ import annotations

from dataclasses import dataclass

from components.figures.markup import Markup, join
from components.models.checkpoint import Checkpoint
from components.ui import links

TITLES = {
    links.ATTENTION_PAGE: "Attention",
    links.ATTRIBUTION_PAGE: "Attribution",
    links.LAYERS_PAGE: "Layer by layer",
    links.ANATOMY_PAGE: "Anatomy",
}


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What of a request and its answer is looked at.

    `text` and `pair` are what the network reads, in that order; `explained` and `beside` are the two texts as
    an attribution asks for them, the same unless they are given; `target` is the prediction.
    """

    text: str
    pair: str = ""
    explained: str | None = None
    beside: str = ""
    target: str = ""


def links_to(task: str, checkpoint: Checkpoint, seen: Inspection) -> Markup:
    """Links to the pages that can look into this checkpoint; without the text where it is too long."""
    read = {"text": seen.text, "text_pair": seen.pair}
    explained = {
        "task": task,
        "text": seen.text if seen.explained is None else seen.explained,
        "text_pair": seen.beside,
        "target": seen.target,
    }
    queries = {page: explained if page == links.ATTRIBUTION_PAGE else read for page in TITLES}
    found, cut = [], False
    for page, title in TITLES.items():
        if not checkpoint.can(page):
            continue
        link = links.page_link(page, **queries[page], model=checkpoint.id, run="1")
        if len(link) > links.LONGEST_LINK:
            link, cut = links.page_link(page, model=checkpoint.id), True
        found.append(Markup('<a href="{}" target="_blank" rel="noopener">{}</a>').format(link, title))
    if not found:
        return Markup()
    long = Markup('<span class="hint">The text is too long for a link: paste it there.</span>')
    return Markup('<p class="ways">Look inside {}{}</p>').format(join(found, " "), long if cut else "")
