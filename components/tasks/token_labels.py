"""From a label for each token to spans of the text: pure, on plain values and probabilities.

The strategies are those of Transformers' token classification pipeline, with two differences. A word is
what the tokenizer takes for one, without the punctuation around it where the tokenizer splits at spaces
alone. And windows are put together token by token before anything is joined.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import torch

from components.tasks.windows import Window
from components.tasks.words import word_ends

Strategy = Literal["none", "simple", "first", "average", "max"]

OUTSIDE = "O"
_JOINER = "\u200d"


@dataclass(frozen=True)
class Token:
    """A token of the text [start, end), in code points, and the word that it is a piece of."""

    start: int
    end: int
    word: int | None


def tokens(window: Window) -> list[Token]:
    """The tokens that are kept of a window."""
    return [
        Token(*offset, window.words[place])
        for place in window.kept
        if (offset := window.offsets[place]) is not None
    ]


@dataclass(frozen=True)
class Span:
    """`text[start:end]` with its label; `score` in [0, 1]."""

    start: int
    end: int
    label: str
    score: float


def spans(
    text: str,
    tokens: Sequence[Token],
    probabilities: torch.Tensor,
    labels: Sequence[str],
    strategy: Strategy,
) -> list[Span]:
    """What is labelled with anything but "O", in order. `probabilities` [tokens, labels]."""
    if strategy in ("none", "simple"):
        pieces = [[place] for place in range(len(tokens))]
    else:
        pieces = words(text, tokens)
    best, indices = (column.tolist() for column in probabilities.max(dim=1))
    tagged = []
    for places in pieces:
        place = max(places, key=best.__getitem__) if strategy == "max" else places[0]
        score, index = best[place], indices[place]
        if strategy == "average" and len(places) > 1:
            mean = probabilities[places].mean(dim=0)
            index = int(mean.argmax())
            score = float(mean[index])
        tagged.append(Span(tokens[places[0]].start, tokens[places[-1]].end, labels[index], score))
    if strategy != "none":
        tagged = join(tagged, labels)
    found = (whole(text, span) for span in tagged if span.label != OUTSIDE)
    return [span for span in found if span.start < span.end]


def words(text: str, tokens: Sequence[Token]) -> list[list[int]]:
    """The places of the tokens of each word."""
    ends = word_ends(text)
    keys = [(token.word, bisect(ends, token.start)) for token in tokens]
    return [list(places) for _, places in groupby(range(len(tokens)), keys.__getitem__)]


def entity_type(label: str, labels: Sequence[str]) -> tuple[str, str]:
    """A label's IOB prefix and its entity type: "B-PER" is ("B", "PER"), "PER" ("I", "PER").

    BIOES and BILOU are told by the whole set of labels, so that a label such as "S-Bahn" is not cut.
    """
    every = all(re.match("[BIESLU]-.", one, re.IGNORECASE) for one in labels if one != OUTSIDE)
    found = re.match("([BIESLU])-(.+)" if every else "([BI])-(.+)", label, re.IGNORECASE)
    return (found[1].upper(), found[2]) if found else ("I", label)


def join(tagged: Sequence[Span], labels: Sequence[str]) -> list[Span]:
    """Neighbours of one type as one span, whose score is their mean; a "B-" starts another."""
    types = {label: entity_type(label, labels) for label in labels}
    groups: list[list[Span]] = []
    for span in tagged:
        place, what = types[span.label]
        if groups:
            last_place, last = types[groups[-1][-1].label]
            if what == last and place not in "BSU" and last_place not in "ESLU":
                groups[-1].append(span)
                continue
        groups.append([span])
    return [
        Span(
            group[0].start,
            group[-1].end,
            types[group[0].label][1],
            sum(span.score for span in group) / len(group),
        )
        for group in groups
    ]


def whole(text: str, span: Span) -> Span:
    """The span without spaces at its ends, and with all of the characters that it has a part of."""
    start, end = span.start, span.end
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        while start > 0 and _is_part(text, start) and not text[start - 1].isspace():
            start -= 1
        while end < len(text) and _is_part(text, end):
            end += 1
    return Span(start, end, span.label, span.score)


def _is_part(text: str, place: int) -> bool:
    """Whether what stands there makes one character on the screen with what is before it."""
    letter = text[place]
    return (
        letter == _JOINER
        or text[place - 1] == _JOINER
        or unicodedata.category(letter).startswith("M")
        or "\U0001f3fb" <= letter <= "\U0001f3ff"  # skin tones
    )
