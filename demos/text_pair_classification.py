"""Text pair classification: entailment and paraphrase."""

from __future__ import annotations

from components import texts
from components.figures import answers
from components.figures.markup import Markup
from components.tasks.text_pair_classification import TASK
from components.ui.inspection import Inspection
from components.ui.page import Json, TaskPage, TextInput

TEXTS = texts.beside(__file__)


def teaser(request: Json, answer: Json) -> Markup:
    best = answer["labels"][0]
    return answers.teaser(
        Markup("{} / {} <strong>→ {}</strong>").format(request["text"], request["text_pair"], best["label"]),
        answers.score(best["score"]),
    )


def scored(answer: Json) -> dict[str, float]:
    return {one["label"]: one["score"] for one in answer["labels"]}


def summary(answer: Json) -> list[str]:
    return [answer["labels"][0]["label"]]


def inspection(request: Json, answer: Json) -> Inspection:
    return Inspection(
        text=request["text"],
        pair=request["text_pair"],
        beside=request["text_pair"],
        target=answer["labels"][0]["label"],
    )


PAGE = TaskPage(
    slug="text-pairs",
    nav=TEXTS["nav"],
    title=TEXTS["title"],
    sentence=TEXTS["sentence"],
    task=TASK,
    inputs={"text": TextInput(lines=3), "text_pair": TextInput(lines=2)},
    draw=answers.labels,
    teaser=teaser,
    summary=summary,
    scored=scored,
    run_label=TEXTS["run"],
    inspection=inspection,
)
