"""Named entities: people, organisations and places, marked in the text."""

from __future__ import annotations

from components import texts
from components.figures import answers
from components.figures.markup import Markup, join
from components.tasks.named_entities import TASK
from components.ui.inspection import Inspection
from components.ui.page import Json, TaskPage, TextInput

TEXTS = texts.beside(__file__)

SHOWN = 3


def teaser(request: Json, answer: Json) -> Markup:
    names = (
        Markup('<mark>{}</mark> <span class="value">{}</span>').format(one["text"], one["label"])
        for one in answer["entities"][:SHOWN]
    )
    return answers.teaser(join(names, ", ") or request["text"])


def summary(answer: Json) -> list[str]:
    return [f"{one['text']} ({one['label']})" for one in answer["entities"]]


def inspection(request: Json, answer: Json) -> Inspection:
    most_certain = max(answer["entities"], key=lambda entity: entity["score"], default={"text": ""})
    return Inspection(text=request["text"], target=most_certain["text"])


PAGE = TaskPage(
    slug="named-entities",
    nav=TEXTS["nav"],
    title=TEXTS["title"],
    sentence=TEXTS["sentence"],
    task=TASK,
    inputs={"text": TextInput(lines=7)},
    draw=answers.entities,
    teaser=teaser,
    summary=summary,
    run_label=TEXTS["run"],
    inspection=inspection,
)
