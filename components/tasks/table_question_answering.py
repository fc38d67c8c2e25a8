"""Table question answering: a question about a table, answered by a short program over it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass as pydantic_dataclass

from components.models.checkpoint import Head
from components.tasks.fields import STRICT, Grid, Text
from components.tasks.snippet import snippet
from components.tasks.task import Output, Progress, Task

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

# Of the embedded model's answers to the 1,891 questions about held-back training tables, 26 % of those below
# it are right and 69 % of the others; from it on, about half of the answers with such a score are.
UNSURE = 0.5


@pydantic_dataclass(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    table: Annotated[
        Grid,
        Field(title="Table", description="Column names, and rows of as many cells each."),
    ]
    question: Annotated[
        Text,
        Field(
            max_length=500, title="Question", description="What to look up, count or compare in the table."
        ),
    ]


@pydantic_dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    top_k: Annotated[
        int,
        Field(ge=1, le=20, title="Readings", description="How many different answers to show at most."),
    ] = 5


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One answer that the question may ask for: what was read or computed, and from which cells.

    `cells` are [row, column], both from 0. `score` is in [0, 1]; where programs are compared, those of all
    possible answers sum to 1. `values` are the answer's parts, one unless it is a list.
    """

    answer: str
    score: float
    explanation: str
    cells: list[list[int]]
    values: list[str]


@dataclass(frozen=True, kw_only=True)
class TableAnswer:
    """`answer` and `cells` are those of the first of `candidates`, the likeliest first."""

    answer: str
    cells: list[list[int]]
    candidates: list[Reading]


def run(model: LoadedModel, inputs: Inputs, options: Options) -> Iterator[Progress | Output[TableAnswer]]:
    """A token classifier scores programs over the table; TAPAS picks cells itself."""
    if model.checkpoint.head is Head.TABLE_QUESTION_ANSWERING:
        from components.tasks import tapas

        columns, rows = inputs.table["columns"], inputs.table["rows"]
        yield from tapas.answer(model, columns, rows, inputs.question, options.top_k)
    else:
        yield from _by_program(model, inputs, options)


def _by_program(
    model: LoadedModel, inputs: Inputs, options: Options
) -> Iterator[Progress | Output[TableAnswer]]:
    from components.tasks.tables import doubts, reader
    from components.tasks.tables.programs import Enumeration
    from components.tasks.tables.table import read

    yield Progress("Looking for programs", 0.0)
    enumeration = Enumeration(read(inputs.table["columns"], inputs.table["rows"]), inputs.question)
    programs = enumeration.programs()
    yield Progress("Reading the question", 0.5)
    answers, layout = reader.answers(model, enumeration, programs)
    found = [
        Reading(
            answer=one.program.text,
            score=one.score,
            explanation=one.program.explanation,
            cells=[list(cell) for cell in one.program.cells],
            values=list(one.program.values),
        )
        for one in answers[: options.top_k]
    ]
    best = answers[0]
    yield Output(
        result=TableAnswer(answer=found[0].answer, cells=found[0].cells, candidates=found),
        tokens_used=len(layout.input_ids),
        token_limit=model.checkpoint.token_limit,
        notes=(
            *doubts.notes(enumeration.table, enumeration.question, best.program),
            *(
                [f"The model is unsure: it gives its best answer a probability of {best.score:.0%}."]
                * (best.score < UNSURE)
            ),
            *(
                [f"The question is long: its last {layout.left_out:,} tokens were not read."]
                * bool(layout.left_out)
            ),
            *(
                [f"Only the first {len(programs):,} readings of the question were compared."]
                * enumeration.cut
            ),
        ),
    )


TASK = Task(
    name="table_question_answering",
    title="Table question answering",
    about=(
        "Answers a question about a table: looks up, compares, counts or computes, and says which cells the "
        "answer comes from and how the question was understood."
    ),
    inputs=Inputs,
    options=Options,
    result=TableAnswer,
    heads=frozenset({Head.TOKEN_CLASSIFICATION, Head.TABLE_QUESTION_ANSWERING}),
    run=run,
    snippet=snippet("table_question_answering"),
    example={
        "table": {
            "columns": ["City", "Country", "Inhabitants"],
            "rows": [
                ["Graz", "Austria", "291,000"],
                ["Lyon", "France", "522,000"],
                ["Nantes", "France", "323,000"],
                ["Porto", "Portugal", "232,000"],
            ],
        },
        "question": "Which city has the most inhabitants?",
    },
)
