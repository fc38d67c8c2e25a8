"""A text on its way through a network, kept as arrays: what each part read from the residual stream and wrote
into it. Made by `journey.travel`; needs neither torch nor the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from components.insight.weights import Floats, Piece

Halves = NDArray[np.float16]
HIDDEN = -1e3  # what is added to the score of a masked token is below this
Ends = Literal["tokens", "labels", "token-labels", "spans", "vector"]


@dataclass(frozen=True, kw_only=True)
class Part:
    """A module, by its name in `named_modules`; `parent` is the place of the one around it, -1 for the
    network.

    `parameters` are those of all that is in it, `own` its own alone; a tensor that several modules share
    counts in the first, and `shared` names it in the others. `shape` is of what it gave for the text, the
    last time of its `runs`. `operations` are multiply-adds of its matrix products for the text, its parts'
    included. `kind` is its entry in `facts.toml`.
    """

    name: str
    parent: int
    type: str
    kind: str
    parameters: int
    own: int
    shared: str
    runs: int
    shape: list[int]
    operations: int


@dataclass(frozen=True, kw_only=True)
class Heads:
    """Queries [heads, rows, size], keys and values [key heads, columns, size] of one attention; `added`
    [heads or 1, rows or 1, columns] goes to the scores (mask and position bias), None for nothing."""

    queries: Floats
    keys: Floats
    values: Floats
    added: Floats | None
    scale: float

    @property
    def count(self) -> int:
        return len(self.queries)

    def scores(self, head: int) -> Floats:
        """[rows, columns], scaled, before anything is added to them."""
        keys = self.keys[self._shared(head)]
        found: Floats = self.queries[head] @ keys.T * np.float32(self.scale)
        return found

    def biases(self, head: int) -> Floats:
        """[rows, columns], what is added: position bias, and very low numbers where the mask hides a
        token."""
        rows, columns = self.queries.shape[1], self.keys.shape[1]
        if self.added is None:
            return np.zeros((rows, columns), np.float32)
        added = self.added[min(head, len(self.added) - 1)]
        found: Floats = np.broadcast_to(added[:, :columns], (rows, columns))
        return found

    def weights(self, head: int) -> Floats:
        """[rows, columns]; rows sum to 1."""
        return softmax(self.scores(head) + self.biases(head))

    def value(self, head: int) -> Floats:
        """[columns, size]"""
        found: Floats = self.values[self._shared(head)]
        return found

    def _shared(self, head: int) -> int:
        return head * len(self.keys) // len(self.queries)


@dataclass(frozen=True, kw_only=True, eq=False)
class Stage:
    """What one part does to the vectors [tokens, width] of one side.

    `on_stream` says that `after` is the residual stream; a normalization in front of a sublayer is read by
    that alone. `block` counts the blocks of the side, -1 outside of them. `neurons` [tokens, neurons] are
    those of a feed-forward network after the activation function, `projection` the module that they go
    through.
    """

    kind: str  # as in facts.toml, or "head"
    side: Literal["encoder", "decoder"]
    block: int
    part: str
    before: Floats
    after: Floats
    on_stream: bool
    heads: Heads | None = None
    neurons: Halves | None = None
    projection: str = ""

    @property
    def writes(self) -> bool:
        """Whether it adds to the stream; a normalization changes it."""
        return not self.kind.endswith("-norm")

    def arrays(self) -> Iterator[NDArray[Any]]:
        yield from (self.before, self.after)
        if self.heads is not None:
            yield from (self.heads.queries, self.heads.keys, self.heads.values)
            if self.heads.added is not None:
                yield self.heads.added
        if self.neurons is not None:
            yield self.neurons


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What the head makes of the last states: the `names` with the highest logits, or all of a few, per row.

    `rows` are tokens, or the text as a whole; `probabilities` are None where softmax is not what the model
    was trained with, and for a vector, whose numbers stand in `logits`.
    """

    kind: Ends
    names: list[list[str]]
    logits: list[list[float]]
    probabilities: list[list[float]] | None
    next: bool  # the token that follows is predicted, not the one in the place


@dataclass(frozen=True, kw_only=True, eq=False)
class Journey:
    """`pieces` are the tokens that are read, `given` those of an encoder-decoder's decoder."""

    network: str  # its class
    architecture: str
    dtype: str
    parts: list[Part]
    sketch: list[dict[str, Any]]
    pieces: tuple[Piece, ...]
    given: tuple[Piece, ...]
    written: str
    stages: Sequence[Stage]
    ending: Ending
    notes: tuple[str, ...]

    @property
    def nbytes(self) -> int:
        """Stages and masks that are the same lie in memory once."""
        arrays = (array for stage in self.stages for array in stage.arrays())
        found = {array.__array_interface__["data"][0]: array.nbytes for array in arrays}
        return sum(found.values())

    def tokens(self, stage: Stage) -> tuple[Piece, ...]:
        return self.given if self.given and stage.side == "decoder" else self.pieces

    def sources(self, stage: Stage) -> tuple[Piece, ...]:
        """The tokens that its attention reads from."""
        return self.pieces if stage.kind == "cross-attention" else self.tokens(stage)


def softmax(scores: Floats) -> Floats:
    exponents = np.exp(scores - scores.max(axis=-1, keepdims=True))
    found: Floats = exponents / exponents.sum(axis=-1, keepdims=True)
    return found
