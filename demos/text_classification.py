"""Text classification: sentiment and emotions."""

from __future__ import annotations

from components.figures import answers
from components.figures.markup import Markup, percent
from components.tasks.text_classification import TASK
from components.ui.page import Json, TaskPage, TextInput


def teaser(request: Json, answer: Json) -> Markup:
    best = answer["labels"][0]
    return answers.teaser(
        Markup("{} <strong>→ {}</strong>").format(request["text"], best["label"]), percent(best["score"])
    )


def said(answer: Json) -> list[str]:
    return list(answer["chosen"])


PAGE = TaskPage(
    slug="text-classification",
    nav="Classification",
    title="Text classification",
    sentence="Is a review glad or annoyed, and which feelings speak from it? A score for every label.",
    task=TASK,
    inputs={"text": TextInput(lines=5)},
    draw=answers.classification,
    teaser=teaser,
    said=said,
    run_label="Classify",
)
