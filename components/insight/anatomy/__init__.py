"""The anatomy of any checkpoint: its parts with their shapes for a text, parameters and operations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.insight.inputs import Inputs
from components.models.checkpoint import INSPECTIONS
from components.tasks.fields import STRICT, OptionalText
from components.tasks.snippet import snippet
from components.tasks.task import Output, Progress, Task
from components.texts import in_folder

if TYPE_CHECKING:
    from torch import Tensor

    from components.insight.weights import Floats
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    part: Annotated[
        OptionalText,
        Field(
            max_length=300,
            title="Part",
            description=TEXTS["part"],
        ),
    ] = ""


@dataclass(frozen=True, kw_only=True)
class Module:
    """`parameters` are those inside, its parts' included; a tensor that several modules share counts in the
    first, and the others name it in `shared`. `shape` is of its output for the text, empty if it did not run.
    `operations` are the multiply-adds of its matrix products for the text."""

    name: str
    type: str
    kind: str
    parameters: int
    shared: str
    shape: list[int]
    operations: int


@dataclass(frozen=True, kw_only=True)
class Write:
    """A part that writes to the residual stream: the mean length (L2), over tokens, of what it adds and of
    the stream after it. `block` counts from 0."""

    part: str
    kind: str
    side: str
    block: int
    added: float
    stream: float


@dataclass(frozen=True, kw_only=True)
class Activations:
    """What a part gave for the text; `norms` are the lengths (L2) of its vectors, one per row of the last
    dimension but one."""

    name: str
    shape: list[int]
    mean: float
    std: float
    minimum: float
    maximum: float
    norms: list[float]


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """`parts` are the network's modules, each before its own parts; the first is the network. `stream` are
    the writes to the residual stream in their order."""

    tokens: list[str]
    network: str
    architecture: str
    parameters: int
    operations: int
    parts: list[Module]
    stream: list[Write]
    activations: Activations


def run(model: LoadedModel, inputs: Inputs, options: Options) -> Iterator[Progress | Output[Anatomy]]:
    from components.insight import reading
    from components.insight.anatomy import journey, tensor

    tensor.known(model, options.part)
    yield Progress("Reading the text")
    read = yield from reading.read(model, inputs.text, inputs.text_pair)
    found, done = journey.opened(model, read)
    yield Output(
        result=Anatomy(
            tokens=[piece.text for piece in read.given or read.pieces],
            network=found.network,
            architecture=found.architecture,
            parameters=found.parts[0].parameters,
            operations=found.parts[0].operations,
            parts=[
                Module(
                    name=one.name,
                    type=one.type,
                    kind=one.kind,
                    parameters=one.parameters,
                    shared=one.shared,
                    shape=one.shape,
                    operations=one.operations,
                )
                for one in found.parts
            ],
            stream=[
                Write(
                    part=one.part,
                    kind=one.kind,
                    side=one.side,
                    block=one.block,
                    added=_length(one.after - one.before),
                    stream=_length(one.after),
                )
                for one in found.stages
                if one.on_stream and one.writes
            ],
            activations=_activations(options.part, tensor.ran(model, done.calls, options.part).output),
        ),
        tokens_used=len(read.pieces),
        token_limit=reading.reads(model),
        notes=read.notes,
    )


def _length(vectors: Floats) -> float:
    import numpy as np

    return round(float(np.linalg.norm(vectors, axis=-1).mean()), 4)


def _activations(name: str, output: Tensor) -> Activations:
    found = output.float().cpu()
    vectors = found.reshape(-1, found.shape[-1])
    return Activations(
        name=name,
        shape=list(output.shape),
        mean=round(float(found.mean()), 6),
        std=round(float(found.std(correction=0)), 6),
        minimum=round(float(found.min()), 6),
        maximum=round(float(found.max()), 6),
        norms=[round(value, 4) for value in vectors.norm(dim=-1).tolist()],
    )


TASK = Task(
    name="anatomy",
    title="Anatomy",
    about=TEXTS["about"],
    inputs=Inputs,
    options=Options,
    result=Anatomy,
    heads=INSPECTIONS["anatomy"],
    run=run,
    snippet=snippet(FOLDER / "snippets"),
    stored=FOLDER / "examples.json",
    example={"text": "The capital of France is", "text_pair": ""},
)
