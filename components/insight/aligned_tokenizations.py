"""Several tokenizations of one text, laid side by side over the characters that a reader sees.

A cell is one such character: a grapheme cluster (Unicode UAX #29), as a family of emoji or a letter with its
accents. Tokens that share a cell are a group, so that every group covers whole cells. A browser counts
characters in another way than Python: it gets cells and groups, and no place in a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import regex

from components.models.tokenizer import BYTES, Columns, Tokenizer


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One tokenization over the cells.

    `groups` has three numbers for each group, in order: how many cells lie between it and the group
    before, how many it covers, how many tokens it has. `ids` are those of all tokens; `pieces` says for
    each different one how the vocabulary spells it and which bytes that is (hexadecimal); `special` counts
    tokens from 0. `inner` has [start, end, text] for the tokens, counted likewise, whose own place is not
    that of their group. `unknown` are tokens for what the vocabulary lacks, `lost` bytes of the text that no
    token has.
    """

    tokenizer: str
    family: str
    vocabulary_size: int
    token_limit: int | None
    groups: list[int]
    ids: list[int]
    pieces: dict[int, tuple[str, str]]
    special: list[int]
    inner: dict[int, tuple[int, int, str]]
    unknown: int
    unknown_id: int | None
    lost: int


def cells(text: str) -> list[str]:
    found: list[str] = regex.findall(r"\X", text)
    return found


def lane(id: str, tokenizer: Tokenizer, limit: int | None, text: str, characters: Sequence[str]) -> Lane:
    """`characters` are the cells of the text."""
    tokens = tokenizer.columns(text)
    groups, inner = _grouped(tokens, text, characters)
    distinct = {
        id: piece
        for id, piece in dict(zip(tokens.ids, tokens.pieces, strict=True)).items()
        if id != tokenizer.unknown
    }
    if tokenizer.unknown is not None:
        distinct[tokenizer.unknown] = tokenizer.piece(tokenizer.unknown)
    raw = {id: tokenizer.raw(piece) for id, piece in distinct.items()}
    lost = 0
    if tokenizer.family == BYTES:  # what the vocabulary has no token for is left out without a word
        kept = sum(
            end - start if special else len(raw[id])
            for id, _, start, end, special in zip(*tokens, strict=True)
        )
        lost = max(0, len(text.encode()) - kept)
    return Lane(
        tokenizer=id,
        family=tokenizer.family,
        vocabulary_size=tokenizer.size,
        token_limit=limit,
        groups=groups,
        ids=tokens.ids,
        pieces={id: (piece, raw[id].hex(" ")) for id, piece in distinct.items()},
        special=[index for index, special in enumerate(tokens.special) if special],
        inner=inner,
        unknown=tokens.ids.count(tokenizer.unknown) if tokenizer.unknown is not None else 0,
        unknown_id=tokenizer.unknown,
        lost=lost,
    )


def _grouped(
    tokens: Columns, text: str, characters: Sequence[str]
) -> tuple[list[int], dict[int, tuple[int, int, str]]]:
    """In arrays over all tokens, as a long text has a hundred thousand of them."""
    lengths = np.fromiter(map(len, characters), np.int64, len(characters))
    begins = np.concatenate([[0], lengths.cumsum()])  # of each cell, in code points; the text's end last
    cell_of = np.append(np.repeat(np.arange(len(characters)), lengths), len(characters))
    starts, ends = np.array(tokens.starts, np.int64), np.array(tokens.ends, np.int64)
    if not len(starts):
        return [], {}
    empty = starts == ends
    first = cell_of[starts]
    last = np.where(empty, first, cell_of[np.maximum(ends - 1, 0)] + 1)
    reached = np.maximum.accumulate(last)
    before = np.concatenate([[0], reached[:-1]])  # how far the tokens in front of each reach
    first = np.maximum(first, before)
    # A token that shares a cell with the one before goes with it; one that covers nothing stands alone.
    opens = np.flatnonzero((cell_of[starts] >= before) | empty | np.concatenate([[True], empty[:-1]]))
    counts = np.diff(np.append(opens, len(starts)))
    group_first, group_last = first[opens], reached[opens + counts - 1]
    gaps = group_first - np.concatenate([[0], group_last[:-1]])
    odd = (
        (np.repeat(counts, counts) > 1)
        | (starts != np.repeat(begins[group_first], counts))
        | (ends != np.repeat(begins[group_last], counts))
    )
    inner = {
        index: (tokens.starts[index], tokens.ends[index], text[tokens.starts[index] : tokens.ends[index]])
        for index in np.flatnonzero(odd).tolist()
    }
    return np.stack([gaps, group_last - group_first, counts], axis=1).ravel().tolist(), inner
