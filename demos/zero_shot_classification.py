"""Zero-shot classification: labels made up on the spot."""

from __future__ import annotations

from components import texts
from components.figures import answers
from components.figures.markup import Markup, percent
from components.tasks.zero_shot_classification import TASK
from components.ui.inspection import Inspection
from components.ui.page import Json, ListInput, TaskPage, TextInput

TEXTS = texts.beside(__file__)


def teaser(request: Json, answer: Json) -> Markup:
    best = answer["labels"][0]
    return answers.teaser(
        Markup("{} <strong>→ {}</strong>").format(request["text"], best["label"]), percent(best["score"])
    )


def scored(answer: Json) -> dict[str, float]:
    return {one["label"]: one["score"] for one in answer["labels"]}


def summary(answer: Json) -> list[str]:
    return [answer["labels"][0]["label"]]


def inspection(request: Json, answer: Json) -> Inspection:
    best = answer["labels"][0]["label"]
    return Inspection(
        text=request["text"],
        pair=request.get("hypothesis_template", "This text is about {}.").replace("{}", best),
        beside=", ".join(request["labels"]),
        target=best,
    )


PAGE = TaskPage(
    slug="zero-shot",
    nav=TEXTS["nav"],
    title=TEXTS["title"],
    sentence=TEXTS["sentence"],
    task=TASK,
    inputs={
        "text": TextInput(lines=4),
        "labels": ListInput(lines=1, separator=","),
    },
    draw=answers.labels,
    teaser=teaser,
    summary=summary,
    scored=scored,
    run_label=TEXTS["run"],
    inspection=inspection,
)
