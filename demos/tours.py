"""The guided tours: read from `tours.toml`, and the page that lists them."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from components.figures.markup import Markup
from components.insight import overview
from components.ui import guides
from components.ui.guides import Guide, Stop

SLUG = guides.TOURS_PAGE
DATA = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
TITLE: str = DATA["page"]["title"]
SENTENCE: str = DATA["page"]["sentence"]
TEXTS = {"letter": overview.LETTER}


@cache
def tours() -> tuple[Guide, ...]:
    """Raises pydantic.ValidationError where the file does not say what a tour needs."""
    found = TypeAdapter(tuple[Guide, ...]).validate_python(DATA["tours"])
    return tuple(replace(guide, stops=tuple(map(_filled, guide.stops))) for guide in found)


def content() -> Markup:
    return guides.contents(DATA["page"]["keys"], tours())


def _filled(stop: Stop) -> Stop:
    return replace(stop, query={name: value.format(**TEXTS) for name, value in stop.query.items()})
