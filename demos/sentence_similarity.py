"""Sentence similarity: one text against many, ranked."""

from __future__ import annotations

from itertools import combinations

from components import texts
from components.figures import answers
from components.figures.markup import Markup
from components.tasks.sentence_similarity import TASK
from components.ui.inspection import Inspection
from components.ui.page import Json, ListInput, TaskPage, TextInput

TEXTS = texts.beside(__file__)


def teaser(request: Json, answer: Json) -> Markup:
    best = max(range(len(answer["scores"])), key=answer["scores"].__getitem__)
    return answers.teaser(
        Markup("{} <strong>≈</strong> {}").format(request["source"], request["sentences"][best]),
        f"{answer['scores'][best]:.2f}",
    )


def summary(answer: Json) -> list[str]:
    """Which sentence comes before which."""
    ranked = sorted(range(len(answer["scores"])), key=lambda index: -answer["scores"][index])
    return [f"{first + 1} before {second + 1}" for first, second in combinations(ranked, 2)]


def inspection(request: Json, answer: Json) -> Inspection:
    scores = answer["scores"]
    closest = request["sentences"][scores.index(max(scores))]
    return Inspection(text=request["source"], pair=closest, beside=closest)


PAGE = TaskPage(
    slug="sentence-similarity",
    nav=TEXTS["nav"],
    title=TEXTS["title"],
    sentence=TEXTS["sentence"],
    task=TASK,
    inputs={
        "source": TextInput(lines=2),
        "sentences": ListInput(lines=6),
    },
    draw=answers.similarity,
    teaser=teaser,
    summary=summary,
    run_label=TEXTS["run"],
    inspection=inspection,
)
