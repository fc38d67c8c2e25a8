"""Answers to a question, ranked and where they stand in the text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components import templates, texts
from components.figures.markup import Markup, bar_rows, join, percent
from components.figures.spans import Mark, marked

TEXTS = texts.beside(__file__)
FILL = templates.beside(__file__, percent=percent)

Json = Mapping[str, Any]

MOST_LISTED = 20


def answers(request: Json, answer: Json) -> Markup:
    """The answers with their scores, "no answer" among them where it has any, above the marked context."""
    apart, wordings = _apart(answer["answers"])
    rows = [(one["text"], one["score"]) for one in apart]
    nothing: float = answer["no_answer"]
    ranked: list[tuple[str | Markup, float, str]] = [(text, score, percent(score)) for text, score in rows]
    if nothing:
        row = (Markup("<em>No answer in the text</em>"), nothing, percent(nothing))
        ranked.insert(sum(score >= nothing for _, score in rows), row)
    figure = bar_rows(ranked, caption="Answers, most likely first", columns=("Answer", "Score"))
    marks = [
        Mark(start=one["start"], end=one["end"], label=f"Answer {rank}", score=one["score"])
        for rank, one in enumerate(apart, 1)
    ]
    where = Markup('<p class="reading"></p>')
    text = marked(request["context"], marks, nothing="Found nothing in:", table="Answers as a table")
    return join(
        [figure, _wordings(wordings), where, text, positions(request["context"], answer["positions"])]
    )


def _apart(found: Sequence[Json]) -> tuple[list[Json], list[Json]]:
    """The answers that stand in places of their own, and those that overlap a better one."""
    apart: list[Json] = []
    wordings: list[Json] = []
    for one in found:
        overlaps = any(one["start"] < other["end"] and other["start"] < one["end"] for other in apart)
        (wordings if overlaps else apart).append(one)
    return apart, wordings


def _wordings(found: Sequence[Json]) -> Markup:
    if not found:
        return Markup()
    rows = bar_rows(
        [(one["text"], one["score"], percent(one["score"])) for one in found],
        caption="The same passages with other boundaries",
        columns=("Answer", "Score"),
        best=(),
    )
    return Markup('<details class="sentences"><summary>Other wordings ({})</summary>{}</details>').format(
        len(found), rows
    )


def positions(context: str, places: Sequence[Json]) -> Markup:
    """The context with a bar above each token where an answer may begin, and one below where it may end, and
    the likeliest of both in a table. Nothing if there are no places."""
    if not places:
        return Markup()
    parts: list[tuple[str, Json | None]] = []
    after = 0
    for one in places:
        parts.append((context[after : one["start"]], one))
        after = one["end"]
    parts.append((context[after:], None))
    ranked = sorted(places, key=lambda one: -max(one["begins"], one["ends"]))[:MOST_LISTED]
    return FILL("positions", explained=TEXTS["positions"], parts=parts, ranked=ranked)
