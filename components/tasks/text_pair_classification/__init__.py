"""How two texts relate: whether one follows from the other, or says the same."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.models.checkpoint import Head
from components.tasks import stages
from components.tasks.explained import Explained
from components.tasks.fields import STRICT, Text
from components.tasks.scores import FunctionToApply
from components.texts import in_folder

TEXTS = in_folder(__file__)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    text: Annotated[
        Text, Field(max_length=200_000, title="First text", description="For entailment the premise.")
    ]
    text_pair: Annotated[
        Text, Field(max_length=200_000, title="Second text", description="For entailment the hypothesis.")
    ]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    top_k: Annotated[
        int,
        Field(
            ge=0,
            le=1000,
            title="Labels shown",
            description=("How many labels to show, highest score first; 0 shows all."),
        ),
    ] = 0
    function_to_apply: FunctionToApply = "auto"


@dataclass(frozen=True, kw_only=True)
class Label:
    """`score` is in [0, 1], or a logit where no function is applied."""

    label: str
    score: float


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Highest score first."""

    labels: list[Label]


TASK = stages.task(
    __file__,
    title="Text pair classification",
    about=TEXTS["about"],
    inputs=Inputs,
    options=Options,
    result=Labels,
    stages={Head.SEQUENCE_CLASSIFICATION: "model"},
    example={
        "text": "A man is playing the guitar on a stage.",
        "text_pair": "Somebody is making music.",
    },
    explained=Explained(
        second="the second text",
        title="Second text",
        help="For entailment the hypothesis.",
        required=True,
        target="A label.",
    ),
)
