"""How a network knows where a token stands, and what becomes of a text without that."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass as fields

from components.insight.anatomy.tabs import tab
from components.insight.inputs import Inputs
from components.insight.placement import Positions
from components.tasks.fields import STRICT
from components.tasks.task import Progress

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel


@fields(frozen=True, kw_only=True, config=STRICT)
class Options:
    """Every seed is an order of the words."""

    seed: Annotated[int, Field(ge=0, le=1_000_000)] = 0


def _look(model: LoadedModel, inputs: Inputs, options: Options) -> Generator[Progress, None, Positions]:
    from components.insight import position_maps

    return (yield from position_maps.look(model, inputs.text, inputs.text_pair, options.seed))


TASK = tab("Positions", "What a model makes of the order of words, and of none.", Options, Positions, _look)
