"""The anatomy of any checkpoint: its parts with their shapes for a text, parameters and operations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.models.checkpoint import INSPECTIONS
from components.tasks.explained import LONGEST
from components.tasks.fields import STRICT, OptionalText, Text
from components.tasks.snippet import snippet
from components.tasks.task import NoOptions, Output, Progress, Task

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    text: Annotated[
        Text,
        Field(
            max_length=20_000,
            title="Text",
            description=f"Text the model reads; the first {LONGEST} tokens are used.",
        ),
    ]
    text_pair: Annotated[
        OptionalText,
        Field(
            max_length=20_000,
            title="Second text",
            description=(
                "Optional. A second sentence for an encoder, the continuation for a decoder, the output for "
                "an encoder-decoder: leave it empty and the model writes it."
            ),
        ),
    ] = ""


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    tokens: list[str]


def run(model: LoadedModel, inputs: Inputs, options: NoOptions) -> Iterator[Progress | Output[Anatomy]]:
    from components.insight import reading

    yield Progress("Reading the text")
    read = yield from reading.read(model, inputs.text, inputs.text_pair)
    yield Output(
        result=Anatomy(tokens=[piece.text for piece in read.pieces]),
        tokens_used=len(read.pieces),
        token_limit=reading.reads(model),
        notes=read.notes,
    )


TASK = Task(
    name="anatomy",
    title="Anatomy",
    about="",
    inputs=Inputs,
    options=NoOptions,
    result=Anatomy,
    heads=INSPECTIONS["anatomy"],
    run=run,
    snippet=snippet(FOLDER / "snippets"),
    stored=FOLDER / "examples.json",
    example={"text": "The capital of France is", "text_pair": ""},
)
