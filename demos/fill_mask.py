"""Fill-mask: what fits a gap."""

from __future__ import annotations

from components import texts
from components.figures import answers
from components.figures.markup import Markup, percent
from components.tasks.fill_mask import TASK
from components.ui.inspection import Inspection
from components.ui.page import Json, TaskPage, TextInput

TEXTS = texts.beside(__file__)


def teaser(request: Json, answer: Json) -> Markup:
    best = answer["candidates"][0]
    return answers.teaser(answers.filled(request["text"], best), percent(best["score"]))


def scored(answer: Json) -> dict[str, float]:
    return {one["token"]: one["score"] for one in answer["candidates"]}


def summary(answer: Json) -> list[str]:
    return [one["token"] for one in answer["candidates"]]


def inspection(request: Json, answer: Json) -> Inspection:
    best = answer["candidates"][:1]
    return Inspection(text=request["text"], target=best[0]["token"] if best else "")


PAGE = TaskPage(
    slug="fill-mask",
    nav=TEXTS["nav"],
    title=TEXTS["title"],
    sentence=TEXTS["sentence"],
    task=TASK,
    inputs={"text": TextInput(lines=3)},
    draw=answers.candidates,
    teaser=teaser,
    summary=summary,
    scored=scored,
    run_label=TEXTS["run"],
    inspection=inspection,
)
