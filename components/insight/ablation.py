"""A part of a network switched off: what the prediction loses without it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass as fields

from components.insight import anatomy
from components.insight.difference import Difference, Predicts
from components.models.checkpoint import INSPECTIONS
from components.tasks.fields import STRICT
from components.tasks.task import Output, Progress, Task

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

What = Literal["head", "attention", "cross-attention", "feed-forward", "layer", "residual", "positions"]

EVERY = -1  # instead of a layer's or head's number


@dataclass(frozen=True, kw_only=True)
class Part:
    """What is switched off. `layer` and `head` count from 0, `EVERY` is all of them; `side` is "encoder" or
    "decoder" where a network has both. A `cross` head is one of the cross-attention."""

    what: What
    layer: int = EVERY
    head: int = EVERY
    side: str = ""
    cross: bool = False


@dataclass(frozen=True, kw_only=True)
class Offered:
    """What can be switched off on one side; `heads` are those of a layer, 0 where they cannot be told.
    `missing` says what cannot be switched off, and why."""

    side: str
    layers: int
    heads: int
    cross_heads: int
    what: tuple[What, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Ablated:
    """A text read by the whole network and without a part of it."""

    part: Part
    difference: Difference
    tokens: tuple[str, ...]
    offered: tuple[Offered, ...]
    notes: tuple[str, ...] = ()
    tokens_used: int = 0


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Without `part` the prediction keeps so much of its probability, or cosine; `says` what it is then."""

    part: Part
    kept: float
    says: str


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Of every part by itself; `had` is the probability of what the whole network `says`."""

    had: float
    says: str
    predicts: Predicts
    costs: tuple[Cost, ...]
    offered: tuple[Offered, ...]
    notes: tuple[str, ...] = ()
    tokens_used: int = 0


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
    snippet=anatomy.TASK.snippet,
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
    snippet=anatomy.TASK.snippet,
    stored=anatomy.TASK.stored,
    example=anatomy.TASK.example,
)
