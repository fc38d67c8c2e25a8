"""The names in a text: of people, organisations, places, or what else a checkpoint was trained to mark."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.models.checkpoint import Head
from components.tasks import stages
from components.tasks.explained import Explained
from components.tasks.fields import STRICT, OptionalText, Text
from components.texts import in_folder

TEXTS = in_folder(__file__)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    text: Annotated[Text, Field(max_length=200_000, title="Text", description="Text to search for names.")]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    aggregation_strategy: Annotated[
        Literal["first", "average", "max", "simple", "none"],
        Field(
            title="Aggregation",
            description=TEXTS["aggregation"],
        ),
    ] = "first"
    stride: Annotated[
        int,
        Field(
            ge=0,
            le=256,
            title="Stride",
            description=TEXTS["stride"],
        ),
    ] = 64
    labels: Annotated[
        OptionalText,
        Field(
            max_length=500,
            title="Labels wanted",
            description=TEXTS["labels"],
        ),
    ] = ""
    minimum_score: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            title="Minimum score",
            description="Names with a lower score are left out.",
            json_schema_extra={"step": 0.01},
        ),
    ] = 0.0


@dataclass(frozen=True, kw_only=True)
class Entity:
    """`text` stands at [start, end) of the input, in code points (as Python counts); `score` in [0, 1]."""

    text: str
    label: str
    score: float
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Entities:
    """In the order of the text."""

    entities: list[Entity]


TASK = stages.task(
    __file__,
    title="Named entities",
    about=TEXTS["about"],
    inputs=Inputs,
    options=Options,
    result=Entities,
    stages={Head.TOKEN_CLASSIFICATION: "model"},
    example={"text": "In 1906 Marie Curie began to teach at the Sorbonne in Paris."},
    explained=Explained(target="A name or word in the text."),
)
