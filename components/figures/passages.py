"""Answers to a question, ranked and where they stand in the text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.figures.markup import Markup, bar_rows, join, percent
from components.figures.spans import Mark, marked

Json = Mapping[str, Any]


def answers(request: Json, answer: Json) -> Markup:
    """The answers with their scores, "no answer" among them where it has any, above the marked context."""
    rows = [(one["text"], one["score"]) for one in answer["answers"]]
    nothing: float = answer["no_answer"]
    ranked: list[tuple[str | Markup, float, str]] = [(text, score, percent(score)) for text, score in rows]
    if nothing:
        row = (Markup("<em>No answer in the text</em>"), nothing, percent(nothing))
        ranked.insert(sum(score >= nothing for _, score in rows), row)
    figure = bar_rows(ranked, caption="Answers, most likely first", columns=("Answer", "Score"))
    marks = [
        Mark(start=one["start"], end=one["end"], label=f"Answer {rank}", score=one["score"])
        for rank, one in enumerate(answer["answers"], 1)
    ]
    where = Markup('<p class="reading"></p>')
    text = marked(request["context"], marks, nothing="Found nothing in:", table="Answers as a table")
    return join([figure, where, text])
