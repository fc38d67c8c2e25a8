"""Texts with gaps, as a list of `parts`, one more than there are gaps. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.models.errors import Code, TourError
from components.tasks.fill_mask import MASK, Candidate, Candidates, Inputs, Options
from components.tasks.task import Output
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

# With several gaps, as many beginnings go on to the next gap; so many fillings are kept at the end.
BEAMS, KEPT = 6, 20


@dataclass(frozen=True, kw_only=True)
class Filling:
    """`words`, one per gap, their probability in [0, 1], and the ids of each word's tokens."""

    words: tuple[str, ...]
    score: float
    token_ids: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Scored:
    words: tuple[str, ...]
    logprob: float


def asked(inputs: Inputs, options: Options) -> tuple[list[str], list[str]]:
    """The parts of the text, and the words that are compared, none for the model's own."""
    targets = list(dict.fromkeys(filter(None, map(str.strip, options.targets.split(",")))))
    return inputs.text.split(MASK), targets


def output(
    model: LoadedModel,
    inputs: Inputs,
    options: Options,
    fillings: Sequence[Filling],
    tokens: int,
    notes: Sequence[str],
) -> Output[Candidates]:
    """`fillings` are sorted, likeliest first; `tokens` counts the text that was read."""
    parts, _ = asked(inputs, options)
    return Output(
        result=Candidates(
            candidates=[
                Candidate(
                    token=" / ".join(filling.words),
                    score=filling.score,
                    sequence=join(parts, filling.words),
                    token_ids=[list(ids) for ids in filling.token_ids],
                )
                for filling in fillings[: options.top_k]
            ]
        ),
        tokens_used=tokens,
        token_limit=model.checkpoint.token_limit,
        notes=tuple(notes),
    )


def text_of(model: LoadedModel, ids: Sequence[int]) -> str:
    return str(model.tokenizer.decode(list(ids)))


def join(parts: Sequence[str], words: Sequence[str]) -> str:
    """The text up to the first gap that has no word."""
    return parts[0] + "".join(word + part for word, part in zip(words, parts[1:], strict=False))


def within_reach(
    model: LoadedModel, parts: Sequence[str], *, left: int, between: int, right: int
) -> tuple[list[str], tuple[str, ...]]:
    """The parts with at most `left` tokens before the first gap and `right` after the last, and a note
    if that is not all. More than `between` tokens from the first to the last gap raise `TourError`.
    """
    first, *middle, last = parts
    if (count := sum(len(offsets(model, part)) for part in middle)) > between:
        raise TourError(
            Code.TOO_LONG,
            TEXTS["too_far_apart"].format(count=count, limit=between),
            "text",
        )
    before, behind = offsets(model, first), offsets(model, last)
    notes: tuple[str, ...] = ()
    if len(before) > left or len(behind) > right:
        notes = (
            TEXTS["cut"].format(
                read_before=min(len(before), left),
                before=len(before),
                read_after=min(len(behind), right),
                behind=len(behind),
            ),
        )
    if len(before) > left:
        first = first[before[-left][0] :]
    if len(behind) > right:
        last = last[: behind[right - 1][1]]
    return [first, *middle, last], notes


def offsets(model: LoadedModel, text: str) -> list[tuple[int, int]]:
    """Where in the text each token starts and ends."""
    encoded = model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    return [(start, end) for start, end in encoded["offset_mapping"]]
