"""The story: how the field came here, its three families, attention in numbers, and transfer learning."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from components import javascript
from components.figures import architectures, attention_example
from components.figures.markup import Markup, bar_rows, byte_size, join
from components.figures.timeline import Link, Milestone, links_list, timeline
from components.models.catalog import Catalog
from components.models.checkpoint import Checkpoint, Head, HubSource
from components.ui import links
from components.ui.lab.steps import steps
from components.ui.lab.visitor import visitor
from components.ui.page import PlainPage, Tour

SLUG = "story"
LAB = "./lab"
STORY: Mapping[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
# Sections by the id that a link to one ends with; milestones have ids of their own.
PLACES = {
    "history": "A short history",
    "families": "The three families",
    "reading": "Attention",
    "transfer": "Transfer learning",
    "in-small": "The three steps in small",
}
FIRST = "transformer"  # the milestone that is open at first

# The worked example: what “it” asks for, what each word answers with, and what it has to give.
QUERY = (2.0, 1.0, 0.0, 1.0)
KEYS = {"cat": (2.0, 1.0, 0.0, 1.0), "sat": (0.0, 0.0, 1.0, 0.0), "mat": (1.0, 0.0, 2.0, 0.0)}
VALUES = {"cat": (1.0, 0.8), "sat": (0.0, 0.0), "mat": (0.0, 0.6)}
MEANS = ("animal", "soft")

PER_SECOND = 5e10  # floating-point operations; about what two cores of a laptop manage
SPANS = {"years": 365.25 * 86400, "days": 86400.0, "hours": 3600.0, "minutes": 60.0, "seconds": 1.0}


def build(tour: Tour, blocks: gr.Blocks) -> None:
    for section in (contents, history, families, attention, transfer_learning):
        section(tour)
    in_small(tour, blocks)


def contents(tour: Tour) -> None:
    gr.HTML(
        Markup('<nav aria-label="On this page">{}</nav>').format(
            join(Markup('<a href="./{}#{}">{}</a>').format(SLUG, *place) for place in PLACES.items())
        ),
        elem_classes="story story-contents",
        js_on_load=javascript.start("sections"),
    )


def history(tour: Tour) -> None:
    _prose(
        Markup(
            '<h2 id="history" tabindex="-1">A short history</h2><p>Forty years from networks that read word '
            "by word to models that answer on a laptop. Choose a milestone, or go from one to the next with "
            "the arrow keys; the address bar then has a link to it.</p>"
        )
    )
    gr.HTML(
        timeline(milestones(tour.registry.catalog), STORY["families"], FIRST),
        elem_id=f"{SLUG}-timeline",
        elem_classes=["story", "timeline", "workbench"],
        js_on_load=javascript.start("timeline"),
    )


def families(tour: Tour) -> None:
    catalog = tour.registry.catalog
    _prose(
        Markup(
            '<h2 id="families" tabindex="-1">The three families</h2><p>All transformers are made of the same '
            "layers. What sets the families apart is which tokens may read from which. In the drawings a "
            "line leads from a token above to each that it reads from, below; the matrix says the same: a "
            "row for each token that reads, a column for each that is read from, a stroke where nothing can "
            "be seen.</p>"
            '<div class="architectures">{}</div>'
        ).format(join(_architecture(one, catalog) for one in STORY["architectures"]))
    )


def attention(tour: Tour) -> None:
    catalog = tour.registry.catalog
    _prose(
        Markup(
            '<h2 id="reading" tabindex="-1">Attention, and self-attention</h2>'
            "<p>“The cat sat on the mat because it was tired.” To make sense of “it”, one has to know who "
            "was tired. Attention is how a network finds out: each token looks at others, decides how much "
            "each of them matters to it, and takes in what they have to say, in that proportion. Three "
            "things are computed from every token: a <b>query</b>, what it looks for; a <b>key</b>, what it "
            "can be found by; and a <b>value</b>, what it has to give. How to compute them is what training "
            "finds.</p>"
            "<p>Here are three words that “it” can read from, with numbers made up to be small. Those of a "
            "real model are learnt, there are dozens to a vector, and they have no names.</p>"
            "{steps}"
            "<p>So “it” now carries a good deal of “cat”. When all tokens of a text do this with each other, "
            "it is <b>self-attention</b>: queries, keys and values all come from the same text. A layer does "
            "it several times side by side, in heads that look for different things, and a model stacks many "
            "layers. A decoder leaves out the scores of tokens that come later before it shares out, so that "
            "their weight is zero.</p>{own}"
            "<h3>Attention between two texts</h3>"
            "<p>An encoder-decoder has one more kind, <b>cross-attention</b>: queries come from what is "
            "being written, keys and values from what was read. With each word it writes, a translator looks "
            "up what it needs in the source. That is attention as it was first used for language, in 2014, "
            "and the one that shows most plainly which word came from where.</p>{cross}"
            '<p class="hint">Attention shows what a layer reads, which is not always what an answer rests '
            'on. For that see <a href="./{attribution}">attribution</a>.</p>'
        ).format(
            steps=attention_example.steps("it", QUERY, KEYS, VALUES, MEANS),
            own=links_list([_link(one, catalog) for one in ("self-attention", "minilm")]),
            cross=links_list([_link(one, catalog) for one in ("attention", "transformer")]),
            attribution=links.ATTRIBUTION_PAGE,
        )
    )


def transfer_learning(tour: Tour) -> None:
    steps = STORY["steps"]
    _prose(
        Markup(
            '<h2 id="transfer" tabindex="-1">Transfer learning</h2>'
            "<p>Nobody teaches a network English to sort messages into feelings. One takes a network that "
            "has read a great deal already and teaches it the rest: what was learnt for one task is "
            "transferred to another. There are three steps, of which one can leave out the second, and "
            "somebody else has done the first.</p>"
            '<ol class="learning-steps">{steps}</ol>'
            "<h3>Why it works</h3>"
            "<p>To guess a missing word well, a network must find out about grammar, about who does what to "
            "whom, about tone and topic. Nothing of that is special to guessing words. After pretraining it "
            "lies in the vectors that the layers compute, often so plainly that a straight line through them "
            "parts praise from blame. What fine-tuning has to add is small, and a few hundred examples can "
            "say it. It also follows what transfer cannot do: a network knows nothing newer than its texts, "
            "and takes over their errors and prejudices.</p>"
            "<h3>What it costs</h3>"
            "<p>Training takes about six operations for each parameter and each token that is read (Kaplan "
            "and others, 2020). At 50 billion operations a second, about what two cores of a laptop manage, "
            "that is, on a logarithmic scale:</p>{costs}"
            '<p class="hint">An adapter (LoRA) saves about a third of the work of fine-tuning, and most of '
            "the memory that training takes beside the network itself.</p>"
            '<p class="story-next"><a href="{lab}">Do it yourself in the lab</a>: from a table of messages '
            "to a classifier that is trained, judged and shared.</p>"
        ).format(steps=join(map(_step, steps)), costs=_costs(steps), lab=LAB)
    )


def in_small(tour: Tour, blocks: gr.Blocks) -> None:
    _prose(
        Markup(
            '<h2 id="in-small">The three steps in small</h2><p>Take them yourself, here and now, on two '
            "cores or whatever this app runs on. One training runs at a time for all visitors; a run goes on "
            "when you leave the page, and is found again when you come back.</p>"
        )
    )
    steps(tour, *visitor(blocks))


def milestones(catalog: Catalog) -> list[Milestone]:
    return [
        Milestone(**{**one, "links": _links(one.get("links", ()), catalog)}) for one in STORY["milestones"]
    ]


def members(architecture: Mapping[str, Any], catalog: Catalog) -> list[Checkpoint]:
    """The checkpoints of a family: by their head, but for those that some family names."""
    named = {id for one in STORY["architectures"] for id in one.get("also", ())}
    heads = {Head(head) for head in architecture["heads"]}
    return [
        one
        for one in catalog
        if one.id in architecture.get("also", ()) or (one.head in heads and one.id not in named)
    ]


def _architecture(one: Mapping[str, Any], catalog: Catalog) -> Markup:
    here = [each for each in members(one, catalog) if not isinstance(each.source, HubSource)]
    hub = [each for each in members(one, catalog) if isinstance(each.source, HubSource)]
    facts = {"Trained": one["learns"], "Good for": one["good_for"], "Here": _cards(here)}
    if hub:
        facts["From the Hub"] = _cards(hub)
    return Markup("<section><h3>{title}</h3>{drawn}<p>{sees}</p><dl>{facts}</dl>{links}</section>").format(
        title=one["title"],
        drawn=architectures.drawn(one["source"], one["target"], f"{one['title']}. {one['sees']}"),
        sees=one["sees"],
        facts=join(Markup("<dt>{}</dt><dd>{}</dd>").format(*fact) for fact in facts.items()),
        links=links_list(_links(one["links"], catalog)),
    )


def _cards(checkpoints: Iterable[Checkpoint]) -> Markup:
    return join(
        (
            Markup('<a href="{}">{}</a>').format(
                links.card_link(one.id), one.title.removesuffix(" (embedded)")
            )
            for one in checkpoints
        ),
        ", ",
    )


def _step(one: Mapping[str, Any]) -> Markup:
    facts = {"Learns from": one["from"], "Changes": one["changes"], "Takes": one["takes"]}
    return Markup("<li><h3>{}</h3><dl>{}</dl></li>").format(
        one["title"], join(Markup("<dt>{}</dt><dd>{}</dd>").format(*fact) for fact in facts.items())
    )


def _costs(steps: Sequence[Mapping[str, Any]]) -> Markup:
    """What each step's example takes, on a logarithmic scale, and how much less that is than the most."""
    work = [6.0 * one["parameters"] * one["tokens"] for one in steps]
    return bar_rows(
        [
            (
                Markup('{}<span class="sequence">{}{}</span>').format(
                    one["title"],
                    one["example"],
                    "" if operations == max(work) else f"; {_times(max(work) / operations)} times less work",
                ),
                math.log10(operations) / math.log10(max(work)),
                span(operations / PER_SECOND),
            )
            for one, operations in zip(steps, work, strict=True)
        ],
        caption="Work of each step",
        columns=("Step", "Time on two cores"),
        best=(),
    )


def _times(ratio: float) -> str:
    """To two digits: 1234567 -> "1,200,000"."""
    return f"{float(f'{ratio:.2g}'):,.0f}"


def span(seconds: float) -> str:
    """A stretch of time in the unit that suits it, to two digits: 16200 -> "4.5 hours"."""
    unit, length = next((one for one in SPANS.items() if seconds >= 2 * one[1]), ("seconds", 1.0))
    return f"{float(f'{seconds / length:.2g}'):,g} {unit}"


def _links(told: Iterable[Mapping[str, Any]], catalog: Catalog) -> tuple[Link, ...]:
    return tuple(
        Link(
            label=one["label"],
            href=links.page_link(one["page"], **one["query"]),
            note=_note(catalog, one["query"].get("model", "")),
        )
        for one in told
    )


def _note(catalog: Catalog, id: str) -> str:
    """What one has to fetch first."""
    if id not in catalog or not isinstance(catalog[id].source, HubSource):
        return ""
    return f"{byte_size(catalog[id].download_bytes)} from the Hub"


def _link(milestone: str, catalog: Catalog) -> Link:
    """A milestone's first link."""
    return next(_links(one["links"], catalog)[0] for one in STORY["milestones"] if one["id"] == milestone)


def _prose(content: Markup) -> None:
    gr.HTML(content, elem_classes="story")


PAGE = PlainPage(
    slug=SLUG,
    nav="Story",
    title="How models learn",
    sentence=(
        "Where transformers come from, what sets their families apart, how attention works, and why a few "
        "hundred examples can be enough."
    ),
    build=build,
    group="Learn",
    teaser=Markup("{} → <strong>{}</strong> → {}").format(
        *(
            f"{one['name']} {one['year']}"
            for one in STORY["milestones"]
            if one["id"] in ("lstm", FIRST, "smollm2")
        )
    ),
)
