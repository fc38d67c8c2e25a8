"""Attention weights on their way to a picture: special tokens hidden, tokens joined, layers rolled out.

Weights are kept in 16 bits, as shares of `WHOLE`, and sent in 8: rows are queries, columns are keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from components.models.errors import Code, TourError

WHOLE = 65535
Kind = Literal["encoder", "decoder", "cross"]
Predicts = Literal["next", "same", "nothing"]
Floats = NDArray[np.float32]
Fixed = NDArray[np.uint16]
Bytes = NDArray[np.uint8]

N = TypeVar("N", bound=np.generic)


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A token: its text as it is shown, the word that it is part of (None: it stands for itself) and which
    of two texts it comes from, 0 or 1."""

    text: str
    id: int
    special: bool
    word: int | None
    sequence: int


@dataclass(frozen=True, kw_only=True)
class Vectors:
    """Queries [layers, heads, rows, size] and keys [layers, heads, columns, size], as the weights are made of
    them; heads may share keys. `scale` is what their product is multiplied by."""

    queries: NDArray[np.float16]
    keys: NDArray[np.float16]
    scale: float


@dataclass(frozen=True, kw_only=True)
class Stack:
    """`weights` [layers, heads, rows, columns], in shares of `WHOLE`. `vectors` are None where the
    architecture does not show them."""

    kind: Kind
    weights: Fixed
    rows: tuple[Piece, ...]
    columns: tuple[Piece, ...]
    causal: bool
    vectors: Vectors | None

    @property
    def layers(self) -> int:
        return int(self.weights.shape[0])

    @property
    def heads(self) -> int:
        return int(self.weights.shape[1])

    @property
    def nbytes(self) -> int:
        vectors = self.vectors.queries.nbytes + self.vectors.keys.nbytes if self.vectors else 0
        return self.weights.nbytes + vectors


@dataclass(frozen=True, kw_only=True)
class Attentions:
    """All that one text's attention consists of; `written` is what an encoder-decoder wrote or was given."""

    stacks: tuple[Stack, ...]
    tokens_used: int
    written: str
    notes: tuple[str, ...]

    def stack(self, kind: str) -> Stack:
        """Of a kind; "auto" is cross-attention where there is some."""
        kinds = {stack.kind: stack for stack in self.stacks}
        found = kinds.get("cross", self.stacks[0]) if kind == "auto" else kinds.get(kind)  # type: ignore[call-overload]
        if found is None:
            raise TourError(
                Code.INVALID_INPUT,
                f"This model has no {kind} attention; pick {' or '.join(kinds)}.",
                "kind",
            )
        stack: Stack = found
        return stack

    @property
    def nbytes(self) -> int:
        return sum(stack.nbytes for stack in self.stacks)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What is left out and joined before weights are shown."""

    special: bool = True
    words: bool = False


def fixed(weights: Floats) -> Fixed:
    return np.rint(weights * WHOLE).astype(np.uint16)


def exact(weights: Fixed) -> Floats:
    return weights.astype(np.float32) / np.float32(WHOLE)


def eight_bit(weights: Floats) -> Bytes:
    """Shares of 255; off by at most half of one."""
    return np.rint(weights * 255).astype(np.uint8)


def normalized(weights: Floats) -> Floats:
    """Rows [..., keys] that sum to 1, or to 0 where nothing is left of them."""
    sums = weights.sum(axis=-1, keepdims=True)
    shares: Floats = np.divide(weights, sums, out=np.zeros_like(weights), where=sums > 0)
    return shares


def groups(pieces: Sequence[Piece], shape: Shape) -> list[list[int]]:
    """The places of the tokens that are shown as one, in order."""
    found: list[list[int]] = []
    last: tuple[int, int] | None = None
    for place, piece in enumerate(pieces):
        if piece.special and not shape.special:
            last = None
            continue
        word = None if piece.word is None or not shape.words else (piece.sequence, piece.word)
        if word is not None and word == last:
            found[-1].append(place)
        else:
            found.append([place])
        last = word
    return found


def shaped(weights: Floats, rows: Sequence[Piece], columns: Sequence[Piece], shape: Shape) -> Floats:
    """Weights [..., rows, columns] of what is shown. What a word gets is the sum over its tokens, what it
    gives their mean; without special tokens, the rest of each row is made to sum to 1 again."""
    if shape.special and not shape.words:
        return weights
    down, across = groups(rows, shape), groups(columns, shape)
    joined = _joined(_joined(weights, across, -1), down, -2)
    joined /= np.array([len(group) for group in down], dtype=np.float32)[:, None]
    return joined if shape.special else normalized(joined)


def _joined(weights: NDArray[N], groups: Sequence[Sequence[int]], axis: int) -> NDArray[N]:
    """Sums along an axis over each group of neighbouring places."""
    kept = weights.take([place for group in groups for place in group], axis=axis)
    if len(groups) == kept.shape[axis] or not groups:
        return kept
    starts = np.cumsum([0, *(len(group) for group in groups[:-1])])
    return np.add.reduceat(kept, starts, axis=axis)


def rollout(weights: Fixed, layers: int) -> Floats:
    """Attention rollout (Abnar and Zuidema 2020) through the first `layers` of [layers, heads, tokens,
    tokens]: half of each token is taken to be passed on as it is."""
    size = weights.shape[-1]
    through = np.eye(size, dtype=np.float32)
    for layer in weights[:layers]:
        mean = normalized(exact(layer).mean(axis=0))
        through = (0.5 * mean + 0.5 * np.eye(size, dtype=np.float32)) @ through
    return through


def entropies(weights: Fixed) -> Floats:
    """Bits [layers, heads], the mean over rows: 0 where each token reads from a single one."""
    found = np.zeros(weights.shape[:2], dtype=np.float32)
    for index, layer in enumerate(weights):
        shares = normalized(exact(layer))
        logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
        found[index] = -(shares * logs).sum(axis=-1).mean(axis=-1)
    return found


def pooled(weights: Bytes, most: int) -> Bytes:
    """The greatest weight of each patch, so that [..., rows, columns] have at most `most` on each side."""
    for axis in (-2, -1):
        size = weights.shape[axis]
        if size > most:
            starts = np.linspace(0, size, most, endpoint=False).astype(np.intp)
            weights = np.maximum.reduceat(weights, starts, axis=axis)
    return weights
