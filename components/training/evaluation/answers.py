"""SQuAD's exact match and F1 of words (Rajpurkar et al. 2016, https://arxiv.org/abs/1606.05250)."""

from __future__ import annotations

import re
import string
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from components.tasks.question_answering import TASK
from components.training.answers import questions
from components.training.evaluation.measure import Evaluation, Failure, each, mean, some, worst

if TYPE_CHECKING:
    from components.training.evaluation.asking import App
    from components.training.recipe import Recipe

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLE = re.compile(r"\b(a|an|the)\b")


def evaluate(recipe: Recipe, data: Path, app: App, limit: int | None) -> Evaluation:
    asked = some(questions(data / "squad" / "dev-v1.1.json"), limit)
    exact, overlap, failures = [], [], []
    for one in each(asked, recipe.name):
        payload = {
            "question": one.question,
            "context": one.context,
            "model": recipe.name,
            "allow_no_answer": False,
            "top_k": 1,
        }
        found = app.call(TASK, payload).result.answers
        answered = found[0].text if found else ""
        right = list(dict.fromkeys(answer for answer, _ in one.answers))
        exact.append(max(float(_words(answered) == _words(answer)) for answer in right))
        overlap.append(max(word_f1(answered, answer) for answer in right))
        if not overlap[-1]:
            failures.append(
                Failure(
                    given=f"{one.question} … {_around(one.context, one.answers[0][1])}",
                    expected=" / ".join(right),
                    answered=answered,
                    weight=found[0].score if found else 0.0,
                )
            )
    return Evaluation(
        split="SQuAD v1.1 dev",
        examples=len(asked),
        measures=(mean("F1", overlap), mean("exact match", exact)),
        others={},
        failures=worst(failures),
    )


def word_f1(answered: str, right: str) -> float:
    """Harmonic mean of precision and recall of words, articles and punctuation left out."""
    ours, theirs = Counter(_words(answered)), Counter(_words(right))
    shared = (ours & theirs).total()
    return 2 * shared / (ours.total() + theirs.total()) if shared else 0.0


def _words(answer: str) -> list[str]:
    return _ARTICLE.sub(" ", answer.lower().translate(_PUNCTUATION)).split()


def _around(context: str, place: int) -> str:
    return context[max(0, place - 120) : place + 120]
