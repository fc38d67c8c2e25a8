"""How close in meaning sentences are to one of them, by their embeddings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass

from components.models.checkpoint import Head
from components.tasks import stages
from components.tasks.explained import Explained
from components.tasks.fields import STRICT, MaxTotalLength, Text
from components.texts import in_folder

TEXTS = in_folder(__file__)

LONGEST = 20_000
MATRIX_TEXTS = 50
Sentence = Annotated[Text, Field(max_length=LONGEST)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    source: Annotated[Sentence, Field(title="Source", description="The text to compare with.")]
    sentences: Annotated[
        list[Sentence],
        AfterValidator(MaxTotalLength(200_000)),
        Field(
            min_length=1,
            max_length=1000,
            title="Sentences",
            description="Texts to compare with it.",
        ),
    ]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    measure: Annotated[
        Literal["cosine", "dot"],
        Field(
            title="Measure",
            description=TEXTS["measure"],
        ),
    ] = "cosine"
    matrix: Annotated[
        bool,
        Field(
            title="All pairs",
            description=f"Compare all pairs and show a heat map; at most {MATRIX_TEXTS} texts.",
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class Similarity:
    """`scores` are in the order of the sentences, cosines from -1 to 1 or dot products. `matrix` is square,
    has the source first and the sentences after it, and is empty unless asked for.
    """

    scores: list[float]
    matrix: list[list[float]]


TASK = stages.task(
    __file__,
    title="Sentence similarity",
    about=TEXTS["about"],
    inputs=Inputs,
    options=Options,
    result=Similarity,
    stages={Head.ENCODER: "model"},
    example={
        "source": "The chef prepared a delicious meal.",
        "sentences": [
            "A cook made tasty food.",
            "Dinner was served at seven.",
            "The stock market fell sharply.",
        ],
    },
    explained=Explained(
        second="the text to compare with",
        title="Second text",
        help="The text to compare with.",
        required=True,
        target="Nothing to choose: it is the similarity of the two texts.",
        has_best=False,
    ),
)
