"""The passages of a text that answer a question, or that none does."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.models.checkpoint import Head
from components.tasks import stages
from components.tasks.explained import Explained
from components.tasks.fields import STRICT, Text
from components.texts import in_folder

TEXTS = in_folder(__file__)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    question: Annotated[
        Text, Field(max_length=1000, title="Question", description="Ask a full question about facts.")
    ]
    context: Annotated[
        Text,
        Field(
            max_length=200_000,
            title="Context",
            description="Text to find the answer in, up to a hundred pages.",
        ),
    ]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    top_k: Annotated[int, Field(ge=1, le=20, title="Top-k", description="Maximum number of answers.")] = 3
    max_answer_length: Annotated[
        int, Field(ge=1, le=200, title="Longest answer", description="In tokens.")
    ] = 30
    stride: Annotated[
        int,
        Field(
            ge=0,
            le=256,
            title="Stride",
            description=TEXTS["stride"],
        ),
    ] = 64
    allow_no_answer: Annotated[
        bool,
        Field(
            title="Allow no answer",
            description=TEXTS["no_answer"],
        ),
    ] = True
    positions: Annotated[
        bool,
        Field(
            title="Starts and ends",
            description=TEXTS["starts_and_ends"],
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class Passage:
    """`context[start:end]` is `text`; `score` is its probability in [0, 1]."""

    text: str
    score: float
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Position:
    """`context[start:end]` is a token; `begins` and `ends` are the probabilities that an answer, if there is
    one, begins and ends with it."""

    text: str
    start: int
    end: int
    begins: float
    ends: float


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Highest score first. `no_answer` is the probability that nothing answers: 0 if the model was not
    taught to tell. `positions` are the tokens where an answer may begin or end, in the order of the text,
    without those where that is unlikelier than 1 in 1,000; empty unless asked for.
    """

    answers: list[Passage]
    no_answer: float
    positions: list[Position]


TASK = stages.task(
    __file__,
    title="Question answering",
    about=TEXTS["about"],
    inputs=Inputs,
    options=Options,
    result=Answers,
    stages={Head.QUESTION_ANSWERING: "model"},
    example={
        "question": "What did she put in the oven?",
        "context": "She put the bread in the oven and baked it for an hour.",
    },
    explained=Explained(
        second="the question",
        title="Question",
        help="Question about the text above.",
        required=True,
        target="An answer in the text.",
    ),
)
