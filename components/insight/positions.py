"""How a network knows where a token stands, and what becomes of a text without that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field
from pydantic.dataclasses import dataclass as fields

from components.insight import anatomy
from components.insight.placement import Positions
from components.models.checkpoint import INSPECTIONS
from components.tasks.fields import STRICT
from components.tasks.task import Output, Progress, Task

if TYPE_CHECKING:
    from components.models.checkpoint import Checkpoint, LoadedModel


@fields(frozen=True, kw_only=True, config=STRICT)
class Options:
    """Every seed is an order of the words."""

    seed: Annotated[int, Field(ge=0, le=1_000_000)] = 0


def run(
    model: LoadedModel, inputs: anatomy.Inputs, options: Options
) -> Iterator[Progress | Output[Positions]]:
    from components.insight import position_maps, reading

    found = yield from position_maps.look(model, inputs.text, inputs.text_pair, options.seed)
    yield Output(
        result=found,
        tokens_used=found.tokens_used,
        token_limit=reading.reads(model),
        notes=found.notes,
    )


def _code(checkpoint: Checkpoint, inputs: anatomy.Inputs, options: Any) -> str:
    """The program that opens the checkpoint."""
    return anatomy.TASK.snippet(checkpoint, inputs, anatomy.Options())


TASK = Task(  # of the page, under the name by which checkpoints say that they can be opened
    name=anatomy.TASK.name,
    title="Positions",
    about="What a model makes of the order of words, and of none.",
    inputs=anatomy.Inputs,
    options=Options,
    result=Positions,
    heads=INSPECTIONS["anatomy"],
    run=run,
    snippet=_code,
    stored=anatomy.TASK.stored,
    example=anatomy.TASK.example,
)
