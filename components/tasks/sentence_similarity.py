"""How close in meaning sentences are to one of them, by the cosine of their embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass

from components.models.checkpoint import Head
from components.tasks.fields import STRICT, Altogether, Text
from components.tasks.snippet import snippet
from components.tasks.task import Output, Progress, Task

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

LONGEST = 20_000
Sentence = Annotated[Text, Field(max_length=LONGEST)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    source: Annotated[Sentence, Field(title="Source", description="The text to compare with.")]
    sentences: Annotated[
        list[Sentence],
        AfterValidator(Altogether(200_000)),
        Field(
            min_length=1,
            max_length=1000,
            title="Sentences",
            description="The texts that are compared with it.",
        ),
    ]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    """None: the checkpoints are trained for the cosine."""


@dataclass(frozen=True, kw_only=True)
class Similarity:
    """`scores` are cosines from -1 to 1, in the order of the sentences."""

    scores: list[float]


def run(model: LoadedModel, inputs: Inputs, options: Options) -> Iterator[Progress | Output[Similarity]]:
    """`tokens_used` is that of the longest text."""
    from components.tasks import encoders

    embeddings = yield from encoders.embed(model, [inputs.source, *inputs.sentences])
    source, *sentences = embeddings.vectors
    yield Output(
        result=Similarity(scores=[float(sentence @ source) for sentence in sentences]),
        tokens_used=max(embeddings.tokens),
        token_limit=model.checkpoint.token_limit,
        notes=encoders.window_notes(embeddings, model.checkpoint.token_limit),
    )


TASK = Task(
    name="sentence_similarity",
    title="Sentence similarity",
    about="Compares a text with others by meaning, not by shared words. Scores are cosines, at most 1.",
    inputs=Inputs,
    options=Options,
    result=Similarity,
    heads=frozenset({Head.ENCODER}),
    run=run,
    snippet=snippet("sentence_similarity"),
    example={
        "source": "The chef prepared a delicious meal.",
        "sentences": [
            "A cook made tasty food.",
            "Dinner was served at seven.",
            "The stock market fell sharply.",
        ],
    },
)
