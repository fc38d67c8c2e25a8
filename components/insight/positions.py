"""How a network knows where a token stands, and what becomes of a text without that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass as fields

from components.insight import anatomy
from components.insight.difference import Difference
from components.models.checkpoint import INSPECTIONS
from components.tasks.fields import STRICT
from components.tasks.task import Output, Progress, Task

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

PositionKind = Literal["learned", "sinusoidal", "rotary", "relative"]


@dataclass(frozen=True, kw_only=True)
class Map:
    """What one module makes of positions; `path` is its name in the network.

    Of a table `similarity` [places, places] is the cosine between the embeddings of the positions `places`,
    of a rotary one between a vector, turned to a position, and itself turned to another.
    `by_distance` has for each series its name and one number per distance from `nearest` on: the mean cosine,
    or the bias that a head adds to its scores; distances below 0 lie before the token.
    """

    path: str
    side: str
    kind: PositionKind
    count: int  # positions that there are, 0 without an end
    places: tuple[int, ...]
    similarity: tuple[tuple[float, ...], ...]
    nearest: int
    by_distance: tuple[tuple[str, tuple[float, ...]], ...]


@dataclass(frozen=True, kw_only=True)
class Positions:
    """`tokens` as they were, `shuffled` as they are read the second time, `moved_to` [tokens] where each of
    them is then. Distances are one per token of `compared`, which for an encoder-decoder are those that are
    written, else the text's.

    `order` is what the shuffle changes, `order_without` what it changes in a network without positions, and
    `without` what the unshuffled text loses by that; the latter two are None where positions cannot be
    switched off, and `missing` says so. In a `causal` network a token sees those before it alone, which tells
    it something of its place.
    """

    maps: tuple[Map, ...]
    tokens: tuple[str, ...]
    shuffled: tuple[str, ...]
    moved_to: tuple[int, ...]
    compared: tuple[str, ...]
    order: Difference
    order_without: Difference | None
    without: Difference | None
    causal: bool
    missing: str = ""
    notes: tuple[str, ...] = ()
    tokens_used: int = 0


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


TASK = Task(  # of the page, under the name by which checkpoints say that they can be opened
    name=anatomy.TASK.name,
    title="Positions",
    about="What a model makes of the order of words, and of none.",
    inputs=anatomy.Inputs,
    options=Options,
    result=Positions,
    heads=INSPECTIONS["anatomy"],
    run=run,
    snippet=anatomy.TASK.snippet,
    stored=anatomy.TASK.stored,
    example=anatomy.TASK.example,
)
