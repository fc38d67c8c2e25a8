"""SQuAD's exact match and F1 of words (Rajpurkar et al. 2016, https://arxiv.org/abs/1606.05250), and how many
near misses are recognized: questions of the same split that their text does not answer any more.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from components.tasks.question_answering import TASK, Passage
from components.training.evaluation.measure import Evaluation, Failure, each, mean, some, worst
from components.training.near_misses import Swaps, contrary, cut, elsewhere, near, retyped
from components.training.questions import Question, questions

if TYPE_CHECKING:
    from components.training.evaluation.asking import App
    from components.training.recipe import Recipe

NEAR_MISSES = 300
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLE = re.compile(r"\b(a|an|the)\b")


def evaluate(recipe: Recipe, data: Path, app: App, limit: int | None) -> Evaluation:
    everything = questions(data / "squad" / "dev-v1.1.json")
    asked = some(everything, limit or recipe.extra.get("measured_on"))
    exact, overlap, allowed, failures = [], [], [], []
    for one in each(asked, recipe.name):
        found, none = _answered(app, recipe, one)
        answered = found[0].text if found else ""
        right = list(dict.fromkeys(answer for answer, _ in one.answers))
        exact.append(max(float(_words(answered) == _words(answer)) for answer in right))
        overlap.append(max(word_f1(answered, answer) for answer in right))
        allowed.append(0.0 if none else overlap[-1])
        if not overlap[-1]:
            failures.append(
                Failure(
                    given=f"{one.question} … {_around(one.context, one.answers[0][1])}",
                    expected=" / ".join(right),
                    answered=answered,
                    weight=found[0].score if found else 0.0,
                )
            )
    recognized = {
        kind: [float(_answered(app, recipe, one)[1]) for one in each(misses, kind)]
        for kind, misses in near_misses(everything, limit).items()
    }
    return Evaluation(
        split="SQuAD v1.1 dev" if len(asked) == len(everything) else "a sample of SQuAD v1.1 dev",
        examples=len(asked),
        measures=(
            mean("F1", overlap),
            mean("exact match", exact),
            mean("near misses recognized", [one for found in recognized.values() for one in found]),
            mean("F1 where none may be found", allowed),
        ),
        others={
            f"near misses: {kind} ({len(found)})": {"recognized": sum(found) / len(found)}
            for kind, found in recognized.items()
        },
        failures=worst(failures),
    )


def near_misses(asked: Sequence[Question], limit: int | None = None) -> dict[str, list[Question]]:
    """By kind, as many of each; the same at each call."""
    random = Random(0)  # noqa: S311 - a sample, not a secret
    swaps = Swaps(one.question for one in asked)
    order = random.sample(range(len(asked)), len(asked))
    kinds: dict[str, Callable[[int], Question | None]] = {
        "the answer's sentence taken out": lambda index: cut(asked[index]),
        "another paragraph like it": lambda index: elsewhere(asked[index], near(asked, index)),
        "another name asked for": lambda index: swaps.swapped(asked[index], random, names=True),
        "asked otherwise": lambda index: contrary(asked[index], random) or retyped(asked[index], random),
    }
    count = min(NEAR_MISSES, limit or NEAR_MISSES) // len(kinds)
    places = iter(order)
    return {
        kind: list(islice((found for index in places if (found := make(index)) is not None), count))
        for kind, make in kinds.items()
    }


def _answered(app: App, recipe: Recipe, one: Question) -> tuple[Sequence[Passage], bool]:
    """The best passage, and whether it would not be shown as none is likelier."""
    payload = {"question": one.question, "context": one.context, "model": recipe.name, "top_k": 1}
    if shown := app.call(TASK, payload).result.answers:
        return shown, False
    return app.call(TASK, {**payload, "allow_no_answer": False}).result.answers, True


def word_f1(answered: str, right: str) -> float:
    """Harmonic mean of precision and recall of words, articles and punctuation left out."""
    ours, theirs = Counter(_words(answered)), Counter(_words(right))
    shared = (ours & theirs).total()
    return 2 * shared / (ours.total() + theirs.total()) if shared else 0.0


def _words(answer: str) -> list[str]:
    return _ARTICLE.sub(" ", answer.lower().translate(_PUNCTUATION)).split()


def _around(context: str, place: int) -> str:
    return context[max(0, place - 120) : place + 120]
