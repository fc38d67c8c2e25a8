"""How byte-pair encoding puts a word together, merge by merge (Sennrich et al. 2016, arXiv:1508.07909)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Merge:
    """`parts` of the word once the pair was merged; `rank` counts the merges of training from 1."""

    rank: int
    pair: tuple[str, str]
    parts: list[str]


def merging(word: str, ranks: Mapping[tuple[str, str], int]) -> list[Merge]:
    """The merges of a pre-token as the vocabulary spells it, in order: the earliest learned comes first."""
    parts = list(word)
    steps = []
    while pairs := [pair for pair in pairwise(parts) if pair in ranks]:
        best = min(pairs, key=ranks.__getitem__)
        joined = []
        index = 0
        while index < len(parts):
            if tuple(parts[index : index + 2]) == best:
                joined.append("".join(best))
                index += 2
            else:
                joined.append(parts[index])
                index += 1
        parts = joined
        steps.append(Merge(ranks[best] + 1, best, parts))
    return steps
