"""Which of the visitor's own labels fit a text, with models that were never trained on them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from components.models.checkpoint import Head
from components.tasks import stages
from components.tasks.explained import Explained
from components.tasks.fields import STRICT, Also, Text
from components.texts import in_folder

TEXTS = in_folder(__file__)


def _apart(labels: object) -> object:
    """Labels in one text, with commas or line breaks between them, as a list."""
    if not isinstance(labels, str):
        return labels
    return [label for label in map(str.strip, re.split(r"[,\n]", labels)) if label] or labels


def _one_place(template: str) -> str:
    if template.count("{}") != 1:
        raise PydanticCustomError("rule", "must contain {place} once, where the label goes", {"place": "{}"})
    return template


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    text: Annotated[Text, Field(max_length=20_000, title="Text", description="The text to classify.")]
    labels: Annotated[
        list[Annotated[Text, Field(max_length=100)]],
        BeforeValidator(_apart),
        Field(
            min_length=1,
            max_length=50,
            title="Labels",
            description=TEXTS["labels"],
        ),
        Also("string"),
    ]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    multi_label: Annotated[
        bool,
        Field(title="Several labels may fit", description="Each label gets a score of its own, from 0 to 1."),
    ] = False
    hypothesis_template: Annotated[
        Text,
        AfterValidator(_one_place),
        Field(
            max_length=200,
            title="Hypothesis template",
            description="The sentence that a label is put into, at {}.",
        ),
    ] = "This text is about {}."


@dataclass(frozen=True, kw_only=True)
class Label:
    """`score` is in [0, 1]; all scores sum to 1 unless several labels may fit."""

    label: str
    score: float


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Highest score first."""

    labels: list[Label]


TASK = stages.task(
    __file__,
    title="Zero-shot classification",
    about=TEXTS["about"],
    inputs=Inputs,
    options=Options,
    result=Labels,
    stages={
        Head.CAUSAL_LM: "likelihood",
        Head.ENCODER: "cosine",
        Head.SEQUENCE_CLASSIFICATION: "entailment",
    },
    example={
        "text": "The striker scored twice in the second half.",
        "labels": ["politics", "sports", "technology", "cooking"],
    },
    explained=Explained(
        second="labels with commas between them",
        title="Labels",
        help="At least two, separated by commas.",
        required=True,
        target="One of the labels.",
    ),
)
