"""What a long text comes down to: its best sentences, or new ones."""

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
    text: Annotated[
        Text,
        Field(max_length=200_000, title="Text", description="Text to summarize, up to a hundred pages."),
    ]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    max_sentences: Annotated[
        int,
        Field(
            ge=1,
            le=10,
            title="Sentences",
            description=TEXTS["sentences"],
        ),
    ] = 2
    num_beams: Annotated[
        int,
        Field(
            ge=1,
            le=8,
            title="Beams",
            description=TEXTS["beams"],
        ),
    ] = 4
    no_repeat_ngram_size: Annotated[
        int,
        Field(
            ge=0,
            le=10,
            title="No repeated n-grams",
            description=TEXTS["no_repeated_ngrams"],
        ),
    ] = 3


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """`text[start:end]` of the input; `score` is its share of the scores of all sentences, which sum to 1."""

    text: str
    start: int
    end: int
    score: float


@dataclass(frozen=True, kw_only=True)
class Summary:
    """`sentences` are those that the summary consists of, in the text's order; none if a model wrote it."""

    summary: str
    sentences: list[Chosen]


TASK = stages.task(
    __file__,
    title="Summarization",
    about=TEXTS["about"],
    inputs=Inputs,
    options=Options,
    result=Summary,
    stages={
        Head.TOKEN_CLASSIFICATION: "extractive",
        Head.CAUSAL_LM: "abstractive",
        Head.SEQ2SEQ_LM: "abstractive",
    },
    example={"text": TEXTS["example"]},
    explained=Explained(target="A sentence, or a word that the model wrote."),
)
