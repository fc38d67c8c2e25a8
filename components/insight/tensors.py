"""From tokens to the tensors that a network gets: a batch of ids, its attention mask, one-hot vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from components.insight.families import spelled
from components.models.tokenizer import Side, Tokenizer


@dataclass(frozen=True, kw_only=True)
class Batch:
    """`ids` and `mask` are [texts, tokens]; `pieces` spells the ids. `left_out` counts the tokens that were
    cut off each text. `filler` is the id in the places that `mask` has 0 for.
    """

    ids: list[list[int]]
    pieces: list[list[str]]
    mask: list[list[int]]
    left_out: list[int]
    filler: int


@dataclass(frozen=True, kw_only=True)
class OneHot:
    """`vectors` [tokens, vocabulary] over the different tokens of a text alone, in order of their ids."""

    vocabulary: list[tuple[int, str]]
    tokens: list[str]
    vectors: list[list[int]]


def batch(
    tokenizer: Tokenizer, texts: Sequence[str], *, longest: int, padding: Side, truncation: Side
) -> Batch:
    """Texts as one tensor: each cut at one side to `longest` tokens, then filled up at one side."""
    rows = [tokenizer.cut(text, longest, truncation) for text in texts]
    width = max(map(len, rows))
    filler = tokenizer.pad if tokenizer.pad is not None else 0
    ids, mask = [], []
    for row in rows:
        own, fill = [token.id for token in row], width - len(row)
        ones, zeros = [1] * len(own), [0] * fill
        left = padding == "left"
        ids.append([*[filler] * fill, *own] if left else [*own, *[filler] * fill])
        mask.append([*zeros, *ones] if left else [*ones, *zeros])
    return Batch(
        ids=ids,
        pieces=[[spelled(tokenizer, tokenizer.piece(id)) for id in row] for row in ids],
        mask=mask,
        left_out=[len(tokenizer.encode(text)) - len(row) for text, row in zip(texts, rows, strict=True)],
        filler=filler,
    )


def one_hot(tokenizer: Tokenizer, text: str, most: int) -> OneHot:
    """Of the text's first `most` tokens, special ones not counted."""
    tokens = tokenizer.encode(text, special=False)[:most]
    vocabulary = sorted({token.id for token in tokens})
    return OneHot(
        vocabulary=[(id, spelled(tokenizer, tokenizer.piece(id))) for id in vocabulary],
        tokens=[spelled(tokenizer, token.piece) for token in tokens],
        vectors=[[int(token.id == id) for id in vocabulary] for token in tokens],
    )
