"""Table question answering: a question about a table, answered by a short program over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass as pydantic_dataclass

from components.models.checkpoint import Head
from components.tasks import stages
from components.tasks.fields import STRICT, Grid, Text
from components.texts import in_folder

TEXTS = in_folder(__file__)


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
        Field(ge=1, le=20, title="Readings", description="Maximum number of different answers."),
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


TASK = stages.task(
    __file__,
    title="Table question answering",
    about=TEXTS["about"],
    inputs=Inputs,
    options=Options,
    result=TableAnswer,
    stages={Head.TOKEN_CLASSIFICATION: "model", Head.TABLE_QUESTION_ANSWERING: "tapas"},
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
