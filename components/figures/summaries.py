"""A summary, and where in the text its sentences stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.figures.markup import Markup, join
from components.figures.spans import Mark, marked

Json = Mapping[str, Any]


def summary(request: Json, answer: Json) -> Markup:
    """The summary; if its sentences were chosen from the text, the text with them marked."""
    figure = Markup('<p class="completion" dir="auto">{}</p>').format(answer["summary"])
    if not answer["sentences"]:
        return figure
    marks = [
        Mark(start=one["start"], end=one["end"], label="Chosen", score=one["score"])
        for one in answer["sentences"]
    ]
    where = Markup('<p class="reading">Chosen from:</p>')
    return join([figure, where, marked(request["text"], marks, nothing="", table="Chosen sentences")])
