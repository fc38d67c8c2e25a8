"""The attention weights of any checkpoint: which tokens each token reads from, in each layer and head."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.insight.inputs import Inputs
from components.insight.weights import Kind
from components.models.checkpoint import INSPECTIONS
from components.models.errors import Code, TourError
from components.tasks.fields import STRICT
from components.tasks.snippet import snippet
from components.tasks.task import Output, Progress, Task
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    layer: Annotated[int, Field(ge=0, le=1000, title="Layer", description="Counted from 0.")] = 0
    head: Annotated[int, Field(ge=0, le=1000, title="Head", description="Counted from 0.")] = 0
    kind: Annotated[
        Literal["auto", "encoder", "decoder", "cross"],
        Field(
            title="Which attention",
            description=TEXTS["kind"],
        ),
    ] = "auto"


@dataclass(frozen=True, kw_only=True)
class Weights:
    """`weights` [queries, tokens]: each row says how much a token of `queries` takes from each of `tokens`
    and sums to 1. `queries` are the tokens themselves; of cross-attention the tokens that are written, each
    with what is read for it."""

    tokens: list[str]
    weights: list[list[float]]
    layers: int
    heads: int
    kind: Kind
    queries: list[str]


def run(model: LoadedModel, inputs: Inputs, options: Options) -> Iterator[Progress | Output[Weights]]:
    from components.insight import attention_extraction, reading, weights

    found = yield from attention_extraction.attend(model, inputs.text, inputs.text_pair)
    stack = found.stack(options.kind)
    for name, asked, most in (("layer", options.layer, stack.layers), ("head", options.head, stack.heads)):
        if asked >= most:
            raise TourError(
                Code.INVALID_INPUT,
                f"{model.checkpoint.id} has no {name} {asked}: its {name}s are numbered 0 to {most - 1}.",
                name,
            )
    picked = weights.normalized(weights.exact(stack.weights[options.layer, options.head]))
    yield Output(
        result=Weights(
            tokens=[piece.text for piece in stack.columns],
            weights=picked.round(6).tolist(),
            layers=stack.layers,
            heads=stack.heads,
            kind=stack.kind,
            queries=[piece.text for piece in stack.rows],
        ),
        tokens_used=found.tokens_used,
        token_limit=reading.reads(model),
        notes=found.notes,
    )


TASK = Task(
    name="attention",
    title="Attention",
    about=TEXTS["about"],
    inputs=Inputs,
    options=Options,
    result=Weights,
    heads=INSPECTIONS["attention"],
    run=run,
    snippet=snippet(FOLDER / "snippets" / "attention"),
    stored=FOLDER / "examples" / "attention.json",
    example={"text": "The cat sat on the mat because it was tired.", "text_pair": ""},
)
