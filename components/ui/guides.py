"""Guided tours: stops on the pages of this app, each with something to look at and something to try.

A tour is data (demos/tours.toml). Its place is in the address, `?tour=<name>&stop=<number>`, and nowhere
else; the panel of a stop is HTML that the server puts into the page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from components import javascript
from components.figures.markup import Markup, join
from components.shell import Aside

TOURS_PAGE = "tours"
KEPT = ("embed", "__theme", "present")  # what stays in the address from one stop to the next
STYLE = Path(__file__).parent / "assets" / "guide.css"

_DATA = ConfigDict(extra="forbid", populate_by_name=True)
_Text = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, kw_only=True, config=_DATA)
class Try:
    """One thing to do at a stop. `fill` maps controls to what they are set to, `press` are pressed after
    that, in order; then what `changes` selects is no longer what it was. All are CSS selectors."""

    text: _Text
    changes: _Text
    fill: Mapping[str, str] = Field(default_factory=dict)
    press: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, config=_DATA)
class Stop:
    """A page, filled in by `query`, with the element that `anchor` (a CSS selector) points at.

    `question` is asked of a class, `answer` revealed.
    """

    page: str
    anchor: _Text
    title: _Text
    text: _Text
    attempt: Annotated[Try, Field(alias="try")]
    query: Mapping[str, str] = Field(default_factory=dict)
    question: str = ""
    answer: str = ""


@dataclass(frozen=True, kw_only=True, config=_DATA)
class Guide:
    """A tour, and for whom it is."""

    name: Annotated[str, Field(pattern=r"^[a-z]+$")]
    title: _Text
    sentence: _Text
    minutes: int
    stops: Annotated[tuple[Stop, ...], Field(min_length=1)]

    def address(self, number: int, kept: Mapping[str, str] | None = None) -> str:
        """Of a stop, counted from 1, seen from any page."""
        stop = self.stops[number - 1]
        query = {**stop.query, **(kept or {}), "tour": self.name, "stop": str(number)}
        return f"./{stop.page}?{urlencode(query)}"


@dataclass(frozen=True)
class Guides:
    """All tours, as the server asks for them."""

    tours: tuple[Guide, ...]

    def aside(self, slug: str, query: Mapping[str, str]) -> Aside | None:
        """What the server adds to a page whose address names a tour: the panel of the stop, or where the
        stop is, if that is another page or this one before it is filled in. None if there is no such tour."""
        guide = next((one for one in self.tours if one.name == query.get("tour")), None)
        if guide is None:
            return None
        number = _number(query.get("stop", ""), len(guide.stops))
        stop = guide.stops[number - 1]
        kept = {name: query[name] for name in KEPT if name in query}
        if stop.page != slug or (stop.query and not stop.query.keys() & query.keys()):
            return Aside(elsewhere=guide.address(number, kept))
        return Aside(head=_head(), html=panel(guide, number, kept))


def _number(text: str, most: int) -> int:
    """The stop that an address names: the first if it names none, the last if it names one after that."""
    return min(max(int(text), 1), most) if text.isdecimal() and len(text) < 6 else 1


def panel(guide: Guide, number: int, kept: Mapping[str, str]) -> Markup:
    """One stop: where it is in the tour, what there is to see, what to try, and the ways on."""
    stop = guide.stops[number - 1]
    back = guide.address(number - 1, kept) if number > 1 else ""
    further = guide.address(number + 1, kept) if number < len(guide.stops) else ""
    overview = f"./{TOURS_PAGE}" + (f"?{urlencode(kept)}" if kept else "")
    doing = {"fill": dict(stop.attempt.fill), "press": stop.attempt.press}
    return Markup(
        '<aside id="tour-panel" aria-labelledby="tour-stop" data-tour="{name}" data-stop="{number}" '
        'data-anchor="{anchor}" data-try="{doing}">'
        '<div class="tour-place"><a href="{overview}">{title}</a>'
        "<span>Stop {number} of {count}</span></div>"
        '<progress max="{count}" value="{number}" aria-label="Progress of the tour"></progress>'
        '<div class="tour-says"><h2 id="tour-stop" tabindex="-1">{heading}</h2><p>{text}</p>'
        '<p class="tour-try"><strong>Try it.</strong> {attempt} '
        '<button type="button" class="tour-do">Show me</button></p>{question}</div>'
        '<nav aria-label="Guided tour">{back}{further}'
        '<button type="button" class="tour-leave" aria-keyshortcuts="Escape">Leave</button></nav>'
        '<p class="unseen" role="status"></p></aside>'
    ).format(
        name=guide.name,
        number=number,
        count=len(guide.stops),
        anchor=stop.anchor,
        doing=json.dumps(doing),
        overview=overview,
        title=guide.title,
        heading=stop.title,
        text=stop.text,
        attempt=stop.attempt.text,
        question=_question(stop),
        back=_way("Back", "prev", back, "ArrowLeft") if back else "",
        further=_way("Next", "next", further, "ArrowRight")
        if further
        else _way("Finish", "next", overview, "ArrowRight"),
    )


def _question(stop: Stop) -> Markup:
    if not stop.question:
        return Markup()
    return Markup('<details class="tour-question"><summary>{}</summary><p>{}</p></details>').format(
        stop.question, stop.answer
    )


def _way(words: str, relation: str, address: str, key: str) -> Markup:
    return Markup('<a rel="{}" href="{}" aria-keyshortcuts="{}">{}</a>').format(relation, address, key, words)


def contents(words: str, tours: Sequence[Guide]) -> Markup:
    """The page that lists all tours with their stops, below `words`."""
    return Markup("<p>{}</p>{}").format(words, join(map(_listed, tours)))


def _listed(guide: Guide) -> Markup:
    stops = join(
        Markup('<li><a href="{}" data-stop="{}">{}</a></li>').format(
            guide.address(number), number, stop.title
        )
        for number, stop in enumerate(guide.stops, 1)
    )
    return Markup(
        '<section class="tour-listed" data-tour="{name}"><h2 id="{name}">{title}</h2><p>{sentence} '
        "About {minutes} minutes, {count} stops.</p>"
        '<p class="tour-starts"><a class="tour-start" href="{start}">Start</a>'
        '<a class="tour-continue" hidden></a></p><ol>{stops}</ol></section>'
    ).format(
        name=guide.name,
        title=guide.title,
        sentence=guide.sentence,
        minutes=guide.minutes,
        count=len(guide.stops),
        start=guide.address(1),
        stops=stops,
    )


@cache
def _head() -> Markup:
    return Markup('<style id="tour-panel-style">{}</style>{}').format(
        Markup(STYLE.read_text("utf-8")), Markup(javascript.script("guide"))
    )
