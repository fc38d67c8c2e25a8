"""A part of a network switched off: what the prediction loses without it."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass as fields

from components.insight.anatomy.tabs import tab
from components.insight.inputs import Inputs
from components.insight.parts import EVERY, Ablated, Costs, Part, What
from components.tasks.fields import STRICT
from components.tasks.task import Progress
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)


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


def _ablate(model: LoadedModel, inputs: Inputs, options: Options) -> Generator[Progress, None, Ablated]:
    from components.insight import switching

    part = Part(
        what=options.what, layer=options.layer, head=options.head, side=options.side, cross=options.cross
    )
    return (yield from switching.ablate(model, inputs.text, inputs.text_pair, part))


def _costs(model: LoadedModel, inputs: Inputs, options: Sweep) -> Generator[Progress, None, Costs]:
    from components.insight import switching

    return (
        yield from switching.costs(model, inputs.text, inputs.text_pair, options.side, heads=options.heads)
    )


ABLATE = tab(
    "Switch off",
    TEXTS["ablate"],
    Options,
    Ablated,
    _ablate,
)
COSTS = tab(
    "Switch off one part after the other",
    TEXTS["costs"],
    Sweep,
    Costs,
    _costs,
)
