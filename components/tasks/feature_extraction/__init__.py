"""Texts as vectors, for a search index, a cluster or a classifier of one's own."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.dataclasses import dataclass

from components.models.checkpoint import Head
from components.tasks import stages
from components.tasks.fields import STRICT, Also, MaxTotalLength, Text
from components.texts import in_folder

TEXTS = in_folder(__file__)

MOST_TOKENS = 512  # whose vectors are listed


def _listed(texts: object) -> object:
    return [texts] if isinstance(texts, str) else texts


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    texts: Annotated[
        list[Annotated[Text, Field(max_length=20_000)]],
        BeforeValidator(_listed),
        AfterValidator(MaxTotalLength(100_000)),
        Field(
            min_length=1,
            max_length=100,
            title="Texts",
            description="The texts to embed; over the API also a single one.",
        ),
        Also("string"),
    ]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    pooling: Annotated[
        Literal["mean", "first", "none"],
        Field(
            title="Pooling",
            description=TEXTS["pooling"].format(limit=MOST_TOKENS),
        ),
    ] = "mean"
    normalize: Annotated[
        bool, Field(title="Normalize", description="Scale each vector to length 1, as cosines need it.")
    ] = True


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """The vector of a text, by its place from 0, or of one of its tokens."""

    text: int
    token: str
    vector: list[float]


@dataclass(frozen=True, kw_only=True)
class Embeddings:
    """In the order of the texts and their tokens; each vector has so many `dimensions`."""

    embeddings: list[Embedding]
    dimensions: int


TASK = stages.task(
    __file__,
    title="Feature extraction",
    about=TEXTS["about"],
    inputs=Inputs,
    options=Options,
    result=Embeddings,
    stages={Head.ENCODER: "model"},
    example={"texts": ["The ferry leaves at nine.", "Boats depart in the morning."]},
)
