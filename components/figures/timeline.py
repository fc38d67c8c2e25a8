"""A history as a chart: a column for each year, a lane for each family, details of what is chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components import templates
from components.figures.markup import Markup

FILL = templates.beside(__file__)


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
    return FILL(
        "timeline",
        families=families,
        years=years,
        lanes=lanes,
        milestones=zip(milestones, _rows(milestones, lanes), strict=True),
        chosen=chosen,
    )


def links_list(links: Sequence[Link], label: str = "Try it") -> Markup:
    """Ways into other pages; nothing for no links."""
    return FILL("links", links=links, label=label)


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
