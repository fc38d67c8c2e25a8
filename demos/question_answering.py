"""Question answering: the passage that answers a question, or none."""

from __future__ import annotations

from components import texts
from components.figures import answers, passages
from components.figures.markup import Markup, percent
from components.tasks.question_answering import TASK
from components.ui.inspection import Inspection
from components.ui.page import Json, TaskPage, TextInput

TEXTS = texts.beside(__file__)


def teaser(request: Json, answer: Json) -> Markup:
    if not answer["answers"]:
        return answers.teaser(Markup("{} <strong>→ no answer</strong>").format(request["question"]))
    best = answer["answers"][0]
    return answers.teaser(
        Markup("{} <strong>→ {}</strong>").format(request["question"], best["text"]), percent(best["score"])
    )


def summary(answer: Json) -> list[str]:
    best = answer["answers"][:1]
    return [one["text"] for one in best if one["score"] >= answer["no_answer"]] or ["no answer"]


def inspection(request: Json, answer: Json) -> Inspection:
    return Inspection(
        text=request["question"],
        pair=request["context"],
        explained=request["context"],
        beside=request["question"],
        target=answer["answers"][0]["text"] if answer["answers"] else "",
    )


PAGE = TaskPage(
    slug="question-answering",
    nav=TEXTS["nav"],
    title=TEXTS["title"],
    sentence=TEXTS["sentence"],
    task=TASK,
    inputs={
        "question": TextInput(lines=1, placeholder="Who, when, where, how many, why …"),
        "context": TextInput(lines=9, placeholder="Paste a text, as long as you like", documents=True),
    },
    draw=passages.answers,
    teaser=teaser,
    summary=summary,
    run_label=TEXTS["run"],
    inspection=inspection,
)
