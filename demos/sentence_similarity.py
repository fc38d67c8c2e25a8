"""Sentence similarity: one text against many, ranked."""

from __future__ import annotations

from components.figures import answers
from components.figures.markup import Markup
from components.tasks.sentence_similarity import TASK
from components.ui.page import Json, ListInput, TaskPage, TextInput


def teaser(request: Json, answer: Json) -> Markup:
    best = max(range(len(answer["scores"])), key=answer["scores"].__getitem__)
    return answers.teaser(
        Markup("{} <strong>≈</strong> {}").format(request["source"], request["sentences"][best]),
        f"{answer['scores'][best]:.2f}",
    )


PAGE = TaskPage(
    slug="sentence-similarity",
    nav="Similarity",
    title="Sentence similarity",
    sentence=(
        "Which of these sentences means nearly the same? An encoder turns each into a vector, and the "
        "angle between vectors tells."
    ),
    task=TASK,
    inputs={
        "source": TextInput(lines=2),
        "sentences": ListInput(lines=6),
    },
    draw=answers.similarity,
    teaser=teaser,
    run_label="Compare",
)
