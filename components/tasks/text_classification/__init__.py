"""Which of the labels that a checkpoint was trained on fit a text: its sentiment, emotions, topic."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.models.checkpoint import Head
from components.tasks import stages
from components.tasks.explained import Explained
from components.tasks.fields import STRICT, ByName, OptionalText, Text
from components.tasks.scores import FunctionToApply
from components.texts import in_folder

TEXTS = in_folder(__file__)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    text: Annotated[Text, Field(max_length=200_000, title="Text", description="The text to classify.")]
    text_pair: Annotated[
        OptionalText,
        Field(
            max_length=200_000,
            title="Second text",
            description=TEXTS["text_pair"],
        ),
        ByName(),
    ] = ""


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
    multi_label: Annotated[
        Literal["auto", "one", "several"],
        Field(
            title="Labels that may fit",
            description=TEXTS["labels"],
        ),
    ] = "auto"
    threshold: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            title="Threshold",
            description=TEXTS["threshold"],
            json_schema_extra={"step": 0.01},
        ),
    ] = 0.0
    function_to_apply: FunctionToApply = "auto"


@dataclass(frozen=True, kw_only=True)
class Label:
    """`score` is in [0, 1], or a logit where no function is applied."""

    label: str
    score: float


@dataclass(frozen=True, kw_only=True)
class Labels:
    """`labels` have the highest score first; `chosen` are those that fit, best first: one at most unless
    several may.
    """

    labels: list[Label]
    chosen: list[str]


TASK = stages.task(
    __file__,
    title="Text classification",
    about=TEXTS["about"],
    inputs=Inputs,
    options=Options,
    result=Labels,
    stages={Head.SEQUENCE_CLASSIFICATION: "model"},
    example={"text": TEXTS["example"]},
    explained=Explained(target="A label."),
)
