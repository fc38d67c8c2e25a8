"""A history as a chart: a column for each year, a lane for each family, details of what is chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.figures.markup import Markup, join

ARXIV = "https://arxiv.org/abs/"


@dataclass(frozen=True, kw_only=True)
class Link:
    """Where to try what was told; `note` says what it costs, if anything."""

    label: str
    href: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Milestone:
    """One step of a history. `id` is what a link to it ends with, `family` the key of its lane."""

    id: str
    year: int
    name: str  # short, for the chart
    title: str
    family: str
    text: str
    source: str
    arxiv: str = ""  # identifier of the preprint
    links: tuple[Link, ...] = ()


def timeline(milestones: Sequence[Milestone], families: Mapping[str, str], chosen: str) -> Markup:
    """`milestones` in order, `families` titles by key in the order of the lanes; `chosen` is shown first.

    On a narrow screen the style sheet makes one column of it, with the details below their milestone.
    """
    years = list(dict.fromkeys(one.year for one in milestones))
    lanes = _lanes(milestones, families)
    return Markup(
        '<div class="timeline-tools">{filter}<span class="timeline-steps">'
        '<button type="button" data-step="-1">‹ Earlier</button>'
        '<button type="button" data-step="1">Later ›</button></span></div>'
        '<p class="visually-hidden" role="status" data-part="said"></p>'
        '<div class="timeline-chart" style="--years:{count}">{years}{lanes}'
        '<ol aria-label="Milestones by year">{milestones}</ol></div>'
    ).format(
        filter=_filter(families),
        count=len(years),
        years=join(
            Markup('<span class="timeline-year" style="grid-column:{}" aria-hidden="true">{}</span>').format(
                column, year
            )
            for column, year in enumerate(years, 2)
        ),
        lanes=join(
            Markup(
                '<span class="timeline-lane kind-{kind}" data-family="{family}" aria-hidden="true" '
                'style="grid-row:{rows.start}/{rows.stop}">{title}</span>'
            ).format(kind=kind, family=family, rows=rows, title=families[family])
            for kind, (family, rows) in enumerate(lanes.items())
        ),
        milestones=join(
            _milestone(
                one,
                families[one.family],
                kind=list(families).index(one.family),
                place=(years.index(one.year) + 2, row),
                chosen=one.id == chosen,
            )
            for one, row in zip(milestones, _rows(milestones, lanes), strict=True)
        ),
    )


def links_list(links: Sequence[Link], label: str = "Try it") -> Markup:
    """Ways into other pages; nothing for no links."""
    if not links:
        return Markup()
    return Markup('<ul class="story-links" aria-label="{}">{}</ul>').format(
        label,
        join(
            Markup('<li><a href="{}">{}</a>{}</li>').format(
                one.href, one.label, Markup(" <small>{}</small>").format(one.note) if one.note else ""
            )
            for one in links
        ),
    )


def _lanes(milestones: Sequence[Milestone], families: Mapping[str, str]) -> dict[str, range]:
    """The chart's rows for each family: as many as it has milestones in its fullest year."""
    counts = Counter((one.family, one.year) for one in milestones)
    lanes, first = {}, 2  # years are on the first
    for family in families:
        height = max((count for (each, _), count in counts.items() if each == family), default=0)
        lanes[family] = range(first, first + height)
        first += height
    return lanes


def _rows(milestones: Sequence[Milestone], lanes: Mapping[str, range]) -> list[int]:
    """The chart's row for each milestone: those of one family and year stand below each other."""
    left = {(one.family, one.year): iter(lanes[one.family]) for one in milestones}
    return [next(left[one.family, one.year]) for one in milestones]


def _filter(families: Mapping[str, str]) -> Markup:
    choice = Markup(
        '<label class="{kind}"><input type="radio" name="timeline-family" value="{value}"{checked}>'
        "<span>{title}</span></label>"
    )
    return Markup('<fieldset class="timeline-filter"><legend>Show</legend>{}{}</fieldset>').format(
        choice.format(kind="", value="", checked=Markup(" checked"), title="All"),
        join(
            choice.format(kind=f"kind-{kind}", value=family, checked="", title=title)
            for kind, (family, title) in enumerate(families.items())
        ),
    )


def _milestone(one: Milestone, family: str, *, kind: int, place: tuple[int, int], chosen: bool) -> Markup:
    return Markup(
        '<li class="kind-{kind}" data-family="{key}" data-milestone="{id}">'
        '<button type="button" aria-expanded="{expanded}" aria-controls="milestone-{id}" tabindex="{tab}" '
        'style="grid-column:{column};grid-row:{row}"><span class="timeline-when">{year}</span>'
        '<span class="timeline-name">{name}</span><span class="timeline-family">{family}</span></button>'
        '<article id="milestone-{id}"{hidden}><p class="timeline-kicker">{year} · {family}</p>'
        '<h3>{name}: {title}</h3><p class="timeline-text">{text}</p>{links}'
        '<p class="timeline-source">{source}.{arxiv}</p></article></li>'
    ).format(
        kind=kind,
        key=one.family,
        id=one.id,
        expanded=str(chosen).lower(),
        tab=0 if chosen else -1,
        column=place[0],
        row=place[1],
        year=one.year,
        name=one.name,
        family=family,
        hidden="" if chosen else Markup(" hidden"),
        title=one.title[:1].lower() + one.title[1:],
        text=one.text,
        links=links_list(one.links),
        source=one.source,
        arxiv=_preprint(one.arxiv),
    )


def _preprint(arxiv: str) -> Markup:
    if not arxiv:
        return Markup()
    return Markup(' <a href="{0}{1}" target="_blank" rel="noopener">arXiv:{1}</a>').format(ARXIV, arxiv)
