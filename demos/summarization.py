"""Summarization: a text in a few sentences."""

from __future__ import annotations

from components import texts
from components.figures import answers, summaries
from components.figures.markup import Markup
from components.tasks.summarization import TASK
from components.ui.inspection import Inspection
from components.ui.page import Json, TaskPage, TextInput

TEXTS = texts.beside(__file__)


def teaser(request: Json, answer: Json) -> Markup:
    words = answer["summary"].split()
    return answers.teaser(" ".join(words[:24]) + (" …" if len(words) > 24 else ""))


def summary(answer: Json) -> list[str]:
    return [one["text"] for one in answer["sentences"]] or [answer["summary"]]


def inspection(request: Json, answer: Json) -> Inspection:
    return Inspection(text=request["text"])


PAGE = TaskPage(
    slug="summarization",
    nav=TEXTS["nav"],
    title=TEXTS["title"],
    sentence=TEXTS["sentence"],
    task=TASK,
    inputs={"text": TextInput(lines=11, placeholder="Paste a text, as long as you like", documents=True)},
    draw=summaries.summary,
    teaser=teaser,
    summary=summary,
    run_label=TEXTS["run"],
    inspection=inspection,
)
