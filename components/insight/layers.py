"""What each layer of a model does to a text: the words it is heading for, and how far it moves each token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.insight.attention import FOLDER
from components.insight.inputs import Inputs
from components.insight.weights import Predicts
from components.models.checkpoint import INSPECTIONS
from components.tasks.fields import STRICT
from components.tasks.snippet import snippet
from components.tasks.task import Output, Progress, Task
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    lens_top_k: Annotated[
        int,
        Field(
            ge=1,
            le=10,
            title="Words per cell",
            description="Number of likely tokens per layer.",
        ),
    ] = 3


@dataclass(frozen=True, kw_only=True)
class Layers:
    """`tokens` are those of the text, of an encoder-decoder those that its decoder reads: what was `written`,
    after a token to begin with. Layer 0 is the embeddings, the last one comes before the final norm.

    `lens` [layers + 1][tokens][lens_top_k] are the likeliest tokens if the network ended after a layer, and
    `probabilities` theirs. It `predicts` the next token, the same one, or nothing: then both are empty, and
    `no_lens` says why.

    `similarity` [layers + 1][layers + 1] is the cosine between a token's states in two layers, the mean over
    tokens; `kept` [layers][tokens] that of each token with itself one layer before. `norms` are the lengths
    (L2) of the states [layers + 1][tokens], `median_norms` each layer's median.
    """

    tokens: list[str]
    written: str
    layers: int
    predicts: Predicts
    lens: list[list[list[str]]]
    probabilities: list[list[list[float]]]
    no_lens: str
    similarity: list[list[float]]
    kept: list[list[float]]
    norms: list[list[float]]
    median_norms: list[float]


def run(model: LoadedModel, inputs: Inputs, options: Options) -> Iterator[Progress | Output[Layers]]:
    from components.insight import lens, reading

    yield Progress("Reading the text", 0.0)
    read = yield from reading.read(model, inputs.text, inputs.text_pair)
    seen = lens.look(model, read)
    guesses = yield from lens.lens(model, read, seen, options.lens_top_k)
    moved = lens.moved(seen.states)
    yield Output(
        result=Layers(
            tokens=lens.shown(model.tokenizer, [piece.id for piece in read.given or read.pieces]),
            written=read.written,
            layers=len(seen.states) - 1,
            predicts=guesses.predicts,
            lens=guesses.tokens,
            probabilities=guesses.probabilities,
            no_lens=guesses.missing,
            similarity=moved.similarity,
            kept=moved.kept,
            norms=moved.norms,
            median_norms=moved.median_norms,
        ),
        tokens_used=len(read.pieces),
        token_limit=reading.reads(model),
        notes=read.notes,
    )


TASK = Task(
    name="layers",
    title="Layer by layer",
    about=TEXTS["about"],
    inputs=Inputs,
    options=Options,
    result=Layers,
    heads=INSPECTIONS["layers"],
    run=run,
    snippet=snippet(FOLDER / "snippets" / "layers"),
    stored=FOLDER / "examples" / "layers.json",
    example={"text": "The capital of France is", "text_pair": ""},
)
