"""How close in meaning sentences are to one of them, by their embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass

from components.models.checkpoint import Head
from components.models.errors import Code, TourError
from components.tasks.fields import STRICT, Altogether, Text
from components.tasks.snippet import snippet
from components.tasks.task import Output, Progress, Task

if TYPE_CHECKING:
    from torch import Tensor

    from components.models.checkpoint import LoadedModel

LONGEST = 20_000
MATRIX_TEXTS = 50
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
    measure: Annotated[
        Literal["cosine", "dot"],
        Field(
            title="Measure",
            description="Cosine of the angle, or dot product, which grows with the vectors' lengths too.",
        ),
    ] = "cosine"
    matrix: Annotated[
        bool,
        Field(
            title="All pairs",
            description=f"Each text with each, as a heat map; at most {MATRIX_TEXTS} texts.",
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class Similarity:
    """`scores` are in the order of the sentences, cosines from -1 to 1 or dot products. `matrix` is square,
    has the source first and the sentences after it, and is empty unless asked for.
    """

    scores: list[float]
    matrix: list[list[float]]


def run(model: LoadedModel, inputs: Inputs, options: Options) -> Iterator[Progress | Output[Similarity]]:
    """`tokens_used` is that of the longest text."""
    from components.tasks import encoders

    texts = [inputs.source, *inputs.sentences]
    if options.matrix and len(texts) > MATRIX_TEXTS:
        raise TourError(
            Code.TOO_LONG,
            f"All pairs are drawn of at most {MATRIX_TEXTS} texts; these are {len(texts):,}. Leave some out, "
            "or switch “All pairs” off.",
            "sentences",
        )
    embeddings = yield from encoders.embed(model, texts)
    vectors = embeddings.vectors
    if options.measure == "dot":
        vectors = vectors * embeddings.lengths[:, None]
    yield Output(
        result=Similarity(
            scores=_bounded(vectors[1:] @ vectors[0], options),
            matrix=_bounded(vectors @ vectors.T, options) if options.matrix else [],
        ),
        tokens_used=max(embeddings.tokens),
        token_limit=model.checkpoint.token_limit,
        notes=encoders.window_notes(embeddings, model.checkpoint.token_limit),
    )


def _bounded(products: Tensor, options: Options) -> Any:
    """As lists; cosines of rounded vectors can be a little beyond 1."""
    return (products.clamp(-1.0, 1.0) if options.measure == "cosine" else products).tolist()


TASK = Task(
    name="sentence_similarity",
    title="Sentence similarity",
    about=(
        "Compares a text with others by meaning, not by shared words. Scores are cosines, at most 1, or dot "
        "products; a matrix of all pairs can be had."
    ),
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
