"""Table question answering: ask a table, see which cells answer."""

from __future__ import annotations

from components import texts
from components.figures import answers, tables
from components.figures.markup import Markup, percent
from components.tasks.table_question_answering import TASK
from components.ui.page import Json, TaskPage, TextInput
from components.ui.table_input import TableInput

TEXTS = texts.beside(__file__)


def teaser(request: Json, answer: Json) -> Markup:
    return answers.teaser(
        Markup("{} <strong>{}</strong>").format(request["question"], answer["answer"]),
        percent(answer["candidates"][0]["score"]),
    )


def summary(answer: Json) -> list[str]:
    return list(answer["candidates"][0]["values"])


PAGE = TaskPage(
    slug="table-questions",
    nav=TEXTS["nav"],
    title=TEXTS["title"],
    sentence=TEXTS["sentence"],
    task=TASK,
    inputs={"table": TableInput(lines=8), "question": TextInput(lines=2)},
    draw=tables.table_answer,
    teaser=teaser,
    summary=summary,
    run_label=TEXTS["run"],
)
