"""Span F1 as CoNLL counts it: a span is right if its words and its type are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from seqeval.metrics.sequence_labeling import get_entities

from components.tasks.named_entities import TASK
from components.training.data import Tagged, load
from components.training.evaluation.measure import Evaluation, Failure, bootstrap, each, f1, some, worst

if TYPE_CHECKING:
    from components.training.evaluation.asking import App
    from components.training.recipe import Recipe

Span = tuple[str, int, int]  # type, first word, last word


def evaluate(recipe: Recipe, data: Path, app: App, limit: int | None) -> Evaluation:
    name = recipe.data[0]
    sentences = some([one for one in load(name, data, "test") if isinstance(one, Tagged)], limit)
    counts, failures = [], []
    for one in each(sentences, recipe.name):
        text, starts = _text(one)
        found = app.call(TASK, {"text": text, "model": recipe.name}).result.entities
        answered = {
            (entity.label, _word(starts, entity.start), _word(starts, entity.end - 1)) for entity in found
        }
        wanted: set[Span] = set(get_entities(list(one.tags)))
        counts.append([len(wanted & answered), len(answered - wanted), len(wanted - answered)])
        if wanted ^ answered:
            failures.append(
                Failure(
                    given=text,
                    expected=_show(one, wanted),
                    answered=_show(one, answered),
                    weight=len(wanted ^ answered) / len(one.words),
                )
            )
    return Evaluation(
        split=f"{name} test",
        examples=len(sentences),
        measures=(
            bootstrap("span F1", counts, lambda sums: f1(*sums)),
            bootstrap("precision", counts, lambda sums: float(sums[0] / max(1, sums[0] + sums[1]))),
            bootstrap("recall", counts, lambda sums: float(sums[0] / max(1, sums[0] + sums[2]))),
        ),
        others={},
        failures=worst([failure for failure in failures if len(failure.given) > 40]),
    )


def _text(sentence: Tagged) -> tuple[str, list[int]]:
    """The words joined by spaces, and where each starts."""
    starts, place = [], 0
    for word in sentence.words:
        starts.append(place)
        place += len(word) + 1
    return " ".join(sentence.words), starts


def _word(starts: list[int], place: int) -> int:
    return max(index for index, start in enumerate(starts) if start <= place)


def _show(sentence: Tagged, spans: set[Span]) -> str:
    ordered = sorted(spans, key=lambda span: (span[1], span[2], span[0]))
    return "; ".join(f"{' '.join(sentence.words[a : b + 1])} ({kind})" for kind, a, b in ordered) or "none"
