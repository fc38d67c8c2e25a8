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

from components import javascript, templates
from components.figures.markup import Markup
from components.shell import Aside

TOURS_PAGE = "tours"
KEPT = ("embed", "__theme", "present")  # what stays in the address from one stop to the next
FILL = templates.beside(__file__)
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
    return FILL(
        "panel",
        guide=guide,
        stop=stop,
        number=number,
        doing=json.dumps(doing),
        overview=overview,
        back=back,
        further=further,
    )


def contents(words: str, tours: Sequence[Guide]) -> Markup:
    """The page that lists all tours with their stops, below `words`."""
    return FILL("contents", words=words, guides=tours)


@cache
def _head() -> Markup:
    return Markup('<style id="tour-panel-style">{}</style>{}').format(
        Markup(STYLE.read_text("utf-8")), Markup(javascript.script("guide"))
    )
