"""The story: how the field came here, its three families, attention in numbers, and transfer learning."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import gradio as gr

from components import javascript, texts
from components.figures import architectures, attention_example, drawings
from components.figures.drawings import Drawing
from components.figures.markup import Markup, bar_rows, byte_size, join
from components.figures.timeline import Link, Milestone, links_list, timeline
from components.models.catalog import Catalog
from components.models.checkpoint import Checkpoint, Head, HubSource
from components.ui import links
from components.ui.lab.steps import steps
from components.ui.lab.visitor import visitor
from components.ui.page import PlainPage, Tour
from demos import challenges

TEXTS = texts.beside(__file__)

SLUG = "story"
LAB = "./lab"
STORY: Mapping[str, Any] = TEXTS.data
# Sections by the id that a link to one ends with; milestones have ids of their own.
PLACES: Mapping[str, str] = STORY["sections"]
DRAWN = ("drawings", "sections")  # modules of a section with drawings, which link to other sections too
FIRST = "transformer"  # the milestone that is open at first

# The worked example: what “it” asks for, what each word answers with, and what it has to give.
QUERY = (2.0, 1.0, 0.0, 1.0)
KEYS = {"cat": (2.0, 1.0, 0.0, 1.0), "sat": (0.0, 0.0, 1.0, 0.0), "mat": (1.0, 0.0, 2.0, 0.0)}
VALUES = {"cat": (1.0, 0.8), "sat": (0.0, 0.0), "mat": (0.0, 0.6)}
MEANS = ("animal", "soft")

PER_SECOND = 5e10  # floating-point operations; about what two cores of a laptop manage
SPANS = {"years": 365.25 * 86400, "days": 86400.0, "hours": 3600.0, "minutes": 60.0, "seconds": 1.0}


def build(tour: Tour, blocks: gr.Blocks) -> None:
    for section in (contents, history, recurrence, families, attention, transfer_learning):
        section(tour)
    in_small(tour, blocks)
    ecosystem(tour)
    _section("challenges", TEXTS.html("prose.challenges"))
    challenges.build(tour, blocks)


def contents(tour: Tour) -> None:
    gr.HTML(
        Markup('<nav aria-label="On this page">{}</nav>').format(
            join(Markup('<a href="./{}#{}">{}</a>').format(SLUG, *place) for place in PLACES.items())
        ),
        elem_classes="story story-contents",
        js_on_load=javascript.start("sections"),
    )


def history(tour: Tour) -> None:
    _section("history", TEXTS.html("prose.history"))
    gr.HTML(
        timeline(milestones(tour.registry.catalog), STORY["families"], FIRST),
        elem_id=f"{SLUG}-timeline",
        elem_classes=["story", "timeline", "workbench"],
        js_on_load=javascript.start("timeline"),
    )


def recurrence(tour: Tour) -> None:
    told = STORY["recurrence"]
    drawn = {
        "unrolled": lambda one: drawings.recurrent(one["words"], one["said"]),
        "bottleneck": lambda one: drawings.bottleneck(one["source"], one["target"], one["said"]),
        "attention": lambda one: drawings.over_all_states(
            one["source"], one["target"], one["weights"], one["said"]
        ),
    }
    shown = [_drawing(told[name], draw(told[name]), tour) for name, draw in drawn.items()]
    _section("recurrence", TEXTS.html("prose.recurrence") + drawings.drawings(shown), *DRAWN)


def families(tour: Tour) -> None:
    catalog = tour.registry.catalog
    drawn = join(_architecture(one, catalog) for one in STORY["architectures"])
    _section(
        "families", TEXTS.html("prose.families") + Markup('<div class="architectures">{}</div>').format(drawn)
    )


def attention(tour: Tour) -> None:
    catalog = tour.registry.catalog
    _section(
        "reading",
        TEXTS.html(
            "prose.attention",
            steps=attention_example.steps("it", QUERY, KEYS, VALUES, MEANS),
            own=links_list([_link(one, catalog) for one in ("self-attention", "minilm")]),
            cross=links_list([_link(one, catalog) for one in ("attention", "transformer")]),
        )
        + Markup('<p class="hint">{}</p>').format(TEXTS.line("prose.limits")),
    )


def transfer_learning(tour: Tour) -> None:
    steps = STORY["steps"]
    compared, ulmfit = STORY["transfer"]["comparison"], STORY["transfer"]["ulmfit"]
    _section(
        "transfer",
        TEXTS.html(
            "prose.transfer",
            comparison=drawings.drawings(
                [
                    _drawing(compared, drawings.training(compared["lanes"], compared["said"]), tour),
                    _drawing(ulmfit, drawings.ulmfit(ulmfit["steps"], 4, ulmfit["said"]), tour),
                ]
            ),
            steps=Markup('<ol class="learning-steps">{}</ol>').format(join(map(_step, steps))),
            costs=_costs(steps),
        )
        + Markup('<p class="hint">{}</p><p class="story-next">{}</p>').format(
            TEXTS.line("prose.adapter"), TEXTS.line("prose.lab")
        ),
        *DRAWN,
    )


def in_small(tour: Tour, blocks: gr.Blocks) -> None:
    _section("in-small", TEXTS.html("prose.in_small"))
    steps(tour, *visitor(blocks))


def ecosystem(tour: Tour) -> None:
    told = STORY["ecosystem"]
    libraries = told["libraries"]
    cards = join(
        Markup("<li><h3>{}</h3><p>{}</p><p>{}</p>{}</li>").format(
            one["name"], one["what"], one["here"], links_list(_links([one["link"]], tour.registry.catalog))
        )
        for one in libraries
    )
    drawn = drawings.ecosystem([one["name"] for one in libraries], told["said"])
    _section(
        "ecosystem",
        TEXTS.html("prose.ecosystem")
        + Markup('<div class="ecosystem-parts">{}<ul class="ecosystem">{}</ul></div>').format(
            drawings.drawings([Drawing(title=told["title"], body=drawn, said=told["said"])]), cards
        ),
        *DRAWN,
    )


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
    """Links of the story's file: to a page, with a `query` if it has one, or to a `place` of this page."""
    return tuple(
        Link(label=one["label"], href=_href(one), note=_note(catalog, one.get("query", {}).get("model", "")))
        for one in told
    )


def _href(one: Mapping[str, Any]) -> str:
    if place := one.get("place"):
        return f"./{one['page']}#{place}"
    query = one.get("query", {})
    return links.page_link(one["page"], **query) if query else f"./{one['page']}"


def _note(catalog: Catalog, id: str) -> str:
    """What has to be downloaded first."""
    if id not in catalog or not isinstance(catalog[id].source, HubSource):
        return ""
    return f"{byte_size(catalog[id].download_bytes)} from the Hub"


def _link(milestone: str, catalog: Catalog) -> Link:
    """A milestone's first link."""
    return next(_links(one["links"], catalog)[0] for one in STORY["milestones"] if one["id"] == milestone)


def _drawing(one: Mapping[str, Any], body: Markup, tour: Tour) -> Drawing:
    ways = links_list(_links(one["links"], tour.registry.catalog))
    return Drawing(title=one["title"], body=body, said=one["said"], links=ways)


def _section(place: str, content: Markup, *modules: str) -> None:
    """A section of the page below its heading, whose id is what a link to it ends with; `modules` bring it
    to life."""
    heading = Markup('<h2 id="{}" tabindex="-1">{}</h2>').format(place, PLACES[place])
    gr.HTML(
        heading + content,
        elem_classes="story",
        js_on_load=" ".join(map(javascript.start, modules)) or None,
    )


PAGE = PlainPage(
    slug=SLUG,
    nav=TEXTS["nav"],
    title=TEXTS["title"],
    sentence=TEXTS["sentence"],
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
