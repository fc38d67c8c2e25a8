"""What is known of positions, and of a text whose words stand in another order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from components.insight.difference import Difference

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
