"""Which of the visitor's own labels fit a text, with models that were never trained on them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from components.models.checkpoint import Head
from components.tasks.fields import STRICT, Also, Text
from components.tasks.snippet import snippet
from components.tasks.task import Output, Progress, Task

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel


def _apart(labels: object) -> object:
    """Labels in one text, with commas or line breaks between them, as a list."""
    if not isinstance(labels, str):
        return labels
    return [label for label in map(str.strip, re.split(r"[,\n]", labels)) if label] or labels


def _one_place(template: str) -> str:
    if template.count("{}") != 1:
        raise PydanticCustomError("rule", "must contain {place} once, where the label goes", {"place": "{}"})
    return template


def _different(labels: list[str]) -> list[str]:
    return list(dict.fromkeys(label.strip() for label in labels))


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
            description="What the text may be about; over the API also one text, with commas or line breaks "
            "between them.",
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


def _unseen(labels: list[str]) -> list[str]:
    """A note on labels that a reader cannot tell apart."""
    shown = {"".join(one for one in label if unicodedata.category(one) != "Cf") for label in labels}
    shown = {" ".join(unicodedata.normalize("NFKC", label).split()) for label in shown}
    if len(shown) == len(labels):
        return []
    return ["Some labels look the same and differ in characters that cannot be seen; they are scored apart."]


def run(model: LoadedModel, inputs: Inputs, options: Options) -> Iterator[Progress | Output[Labels]]:
    from components.tasks import hypotheses

    support_by = {
        Head.CAUSAL_LM: hypotheses.by_likelihood,
        Head.ENCODER: hypotheses.by_cosine,
        Head.SEQUENCE_CLASSIFICATION: hypotheses.by_entailment,
    }[model.checkpoint.head]
    labels = _different(inputs.labels)
    repeated = len(inputs.labels) - len(labels)
    alone = len(labels) == 1  # then there is nothing to share a probability with
    support = yield from support_by(
        model, inputs.text, labels, options.hypothesis_template, each=options.multi_label or alone
    )
    scored = [Label(label=label, score=score) for label, score in zip(labels, support.scores, strict=True)]
    yield Output(
        result=Labels(labels=sorted(scored, key=lambda label: -label.score)),
        tokens_used=support.tokens_used,
        token_limit=model.checkpoint.token_limit,
        notes=(
            *support.notes,
            *([f"{repeated} repeated label(s) left out."] if repeated else []),
            *(
                ["There is one label alone: its score says whether it fits."]
                * (alone and not options.multi_label)
            ),
            *_unseen(labels),
        ),
    )


TASK = Task(
    name="zero_shot_classification",
    title="Zero-shot classification",
    about=(
        "Sorts a text under labels of your own, which no model was trained on, by how well a sentence with "
        "the label goes with the text."
    ),
    inputs=Inputs,
    options=Options,
    result=Labels,
    heads=frozenset({Head.CAUSAL_LM, Head.ENCODER, Head.SEQUENCE_CLASSIFICATION}),
    run=run,
    snippet=snippet("zero_shot_classification"),
    example={
        "text": "The striker scored twice in the second half.",
        "labels": ["politics", "sports", "technology", "cooking"],
    },
)
