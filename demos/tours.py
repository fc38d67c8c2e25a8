"""The guided tours: read from `tours.toml`, and the page that lists them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from pydantic import TypeAdapter

from components import texts
from components.figures.markup import Markup
from components.insight import overview
from components.ui import guides
from components.ui.guides import Guide, Stop

SLUG = guides.TOURS_PAGE
TEXTS = texts.beside(__file__)
TITLE = TEXTS["page.title"]
SENTENCE = TEXTS["page.sentence"]
FILLED = {"letter": overview.LETTER}


@cache
def tours() -> tuple[Guide, ...]:
    """Raises pydantic.ValidationError where the file does not say what a tour needs."""
    found = TypeAdapter(tuple[Guide, ...]).validate_python(TEXTS.data["tours"])
    return tuple(replace(guide, stops=tuple(map(_filled, guide.stops))) for guide in found)


def content() -> Markup:
    return guides.contents(TEXTS["page.keys"], tours())


def _filled(stop: Stop) -> Stop:
    return replace(stop, query={name: value.format(**FILLED) for name, value in stop.query.items()})
