"""Table question answering: ask a table, see which cells answer."""

from __future__ import annotations

from components.figures import answers, tables
from components.figures.markup import Markup, percent
from components.tasks.table_question_answering import TASK
from components.ui.page import Json, TaskPage, TextInput
from components.ui.table_input import TableInput


def teaser(request: Json, answer: Json) -> Markup:
    return answers.teaser(
        Markup("{} <strong>{}</strong>").format(request["question"], answer["answer"]),
        percent(answer["candidates"][0]["score"]),
    )


def summary(answer: Json) -> list[str]:
    return list(answer["candidates"][0]["values"])


PAGE = TaskPage(
    slug="table-questions",
    nav="Table QA",
    title="Table question answering",
    sentence=(
        "Ask a table in plain words. The question becomes a small program over the table: you see its "
        "answer, how it was read, and the cells it comes from."
    ),
    task=TASK,
    inputs={"table": TableInput(lines=8), "question": TextInput(lines=2)},
    draw=tables.table_answer,
    teaser=teaser,
    summary=summary,
    run_label="Ask",
)
