"""A part of a network switched off: what the prediction loses without it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass as fields

from components.insight import anatomy
from components.insight.parts import EVERY, Ablated, Costs, Part, What
from components.models.checkpoint import INSPECTIONS
from components.tasks.fields import STRICT
from components.tasks.task import Output, Progress, Task

if TYPE_CHECKING:
    from components.models.checkpoint import Checkpoint, LoadedModel


@fields(frozen=True, kw_only=True, config=STRICT)
class Options:
    """As `Part`; "" is the side that writes, or the only one."""

    what: What = "head"
    layer: Annotated[int, Field(ge=EVERY, le=1000)] = 0
    head: Annotated[int, Field(ge=EVERY, le=1000)] = 0
    side: Literal["", "encoder", "decoder"] = ""
    cross: bool = False


@fields(frozen=True, kw_only=True, config=STRICT)
class Sweep:
    """Which parts are switched off one after the other: the heads, or all others, of one side."""

    side: Literal["", "encoder", "decoder"] = ""
    heads: bool = False


def _ablate(
    model: LoadedModel, inputs: anatomy.Inputs, options: Options
) -> Iterator[Progress | Output[Ablated]]:
    from components.insight import reading, switching

    part = Part(
        what=options.what, layer=options.layer, head=options.head, side=options.side, cross=options.cross
    )
    found = yield from switching.ablate(model, inputs.text, inputs.text_pair, part)
    yield Output(
        result=found,
        tokens_used=found.tokens_used,
        token_limit=reading.reads(model),
        notes=found.notes,
    )


def _costs(model: LoadedModel, inputs: anatomy.Inputs, options: Sweep) -> Iterator[Progress | Output[Costs]]:
    from components.insight import reading, switching

    found = yield from switching.costs(
        model, inputs.text, inputs.text_pair, options.side, heads=options.heads
    )
    yield Output(
        result=found,
        tokens_used=found.tokens_used,
        token_limit=reading.reads(model),
        notes=found.notes,
    )


def _code(checkpoint: Checkpoint, inputs: anatomy.Inputs, options: Any) -> str:
    """The program that opens the checkpoint."""
    return anatomy.TASK.snippet(checkpoint, inputs, anatomy.Options())


# What the page asks, under the name by which checkpoints say that they can be opened.
ABLATE = Task(
    name=anatomy.TASK.name,
    title="Switch off",
    about="The prediction of a model without one of its parts, beside that of the whole model.",
    inputs=anatomy.Inputs,
    options=Options,
    result=Ablated,
    heads=INSPECTIONS["anatomy"],
    run=_ablate,
    snippet=_code,
    stored=anatomy.TASK.stored,
    example=anatomy.TASK.example,
)
COSTS = Task(
    name=anatomy.TASK.name,
    title="Switch off one part after the other",
    about="What the prediction keeps without each part of a model by itself.",
    inputs=anatomy.Inputs,
    options=Sweep,
    result=Costs,
    heads=INSPECTIONS["anatomy"],
    run=_costs,
    snippet=_code,
    stored=anatomy.TASK.stored,
    example=anatomy.TASK.example,
)
