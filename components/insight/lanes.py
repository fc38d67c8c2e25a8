"""Several tokenizations of one text, laid side by side over the characters that a reader sees.

A cell is one such character: a grapheme cluster (Unicode UAX #29), as a family of emoji or a letter with its
accents. Tokens that share a cell are a group, so that every group covers whole cells. A browser counts
characters in another way than Python: it gets cells and groups, and no place in a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import regex

from components.models.tokenizer import BYTES, Token, Tokenizer


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
    tokens = tokenizer.encode(text)
    groups, inner = _grouped(tokens, text, characters)
    distinct = {token.id: token.piece for token in tokens if token.id != tokenizer.unknown}
    if tokenizer.unknown is not None:
        distinct[tokenizer.unknown] = tokenizer.piece(tokenizer.unknown)
    return Lane(
        tokenizer=id,
        family=tokenizer.family,
        vocabulary_size=tokenizer.size,
        token_limit=limit,
        groups=groups,
        ids=[token.id for token in tokens],
        pieces={id: (piece, tokenizer.raw(piece).hex(" ")) for id, piece in distinct.items()},
        special=[index for index, token in enumerate(tokens) if token.special],
        inner=inner,
        unknown=sum(token.id == tokenizer.unknown for token in tokens),
        unknown_id=tokenizer.unknown,
        lost=_lost(tokenizer, tokens, text),
    )


def _grouped(
    tokens: Sequence[Token], text: str, characters: Sequence[str]
) -> tuple[list[int], dict[int, tuple[int, int, str]]]:
    begins = [0, *accumulate(map(len, characters))]  # of each cell, in code points; the text's end last
    cell_of = [cell for cell, character in enumerate(characters) for _ in character] + [len(characters)]
    groups: list[int] = []
    inner: dict[int, tuple[int, int, str]] = {}
    members: list[int] = []  # tokens of the group under way, over the cells from `first` to `last`
    first = last = reached = 0

    def close() -> None:
        nonlocal reached
        if not members:
            return
        groups.extend((first - reached, last - first, len(members)))
        for index in members:
            start, end = tokens[index].start, tokens[index].end
            if len(members) > 1 or (start, end) != (begins[first], begins[last]):
                inner[index] = (start, end, text[start:end])
        reached = last
        members.clear()

    for index, token in enumerate(tokens):
        start = cell_of[token.start]
        end = cell_of[token.end - 1] + 1 if token.end > token.start else start
        if start >= last or end == start:
            close()
        if not members:
            first, last = max(start, reached), max(end, reached)
        members.append(index)
        last = max(last, end)
        if last == first:  # stands for no character: a group of its own
            close()
    close()
    return groups, inner


def _lost(tokenizer: Tokenizer, tokens: Sequence[Token], text: str) -> int:
    """Bytes that a byte-level vocabulary has no token for: the library leaves them out without a word."""
    if tokenizer.family != BYTES:
        return 0
    kept = sum(
        token.end - token.start if token.special else len(tokenizer.raw(token.piece)) for token in tokens
    )
    return max(0, len(text.encode()) - kept)
