"""Parts of a network that can be switched off, and what a prediction loses without them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from components.insight.difference import Difference, Predicts

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
