"""Texts of any length as windows that a network can read. Imports torch: import this inside `run`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from components.models.errors import Code, TourError
from components.tasks.network import Row
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)


@dataclass(frozen=True, kw_only=True)
class Window(Row):
    """A row for the network, and where its tokens stand in the text.

    `offsets` (code points, end excluded) and `words` (counted through the text) are None for
    tokens that are not the text's: special ones, and those of a question before it. `positions` are
    the text's own tokens in the row, `kept` those of them that have most context in this window: each
    token of the text is kept in exactly one window, in order.
    """

    offsets: Sequence[tuple[int, int] | None]
    words: Sequence[int | None]
    positions: range
    kept: range


def split(
    model: LoadedModel,
    text: str,
    *,
    overlap: int = 0,
    question: str | None = None,
    behind: str | None = None,
) -> tuple[Window, ...]:
    """`text` in windows of the checkpoint's token limit, each after the whole `question`, or before the whole
    text `behind` it, if there is one.

    Neighbours share `overlap` tokens, though never more than half a window. One window if all fits.
    Checkpoints that read lower case and whose config.json says `marks_case` are told of capitals by the
    token type.
    """
    tokenizer, limit = model.tokenizer, model.checkpoint.token_limit
    if not tokenizer.is_fast:
        raise TourError(
            Code.UNSUITABLE_MODEL,
            TEXTS["no_positions"].format(model=model.checkpoint.id),
            "model",
        )
    other = behind if question is None else question
    room = limit - tokenizer.num_special_tokens_to_add(pair=other is not None)
    if other is not None:
        room -= len(tokenizer(other, add_special_tokens=False, verbose=False)["input_ids"])
    if room < 1:
        what, field = ("question", "question") if behind is None else ("second text", "behind")
        raise TourError(
            Code.TOO_LONG,
            f"The {what} fills the {limit:,} tokens that {model.checkpoint.id} reads. Shorten it.",
            field,
        )
    overlap = min(overlap, room // 2)
    encoded = tokenizer(
        *(one for one in (question, text, behind) if one is not None),
        truncation="only_first" if question is None else "only_second",
        max_length=limit,
        stride=overlap,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    text_is = 0 if question is None else 1
    own = [
        [place for place, sequence in enumerate(encoded.sequence_ids(index)) if sequence == text_is]
        for index in range(len(encoded["input_ids"]))
    ]
    windows = []
    for index, (start, end) in enumerate(kept([len(places) for places in own], overlap)):
        mine, words = {*own[index]}, encoded.word_ids(index)
        offsets = [
            tuple(pair) if place in mine else None
            for place, pair in enumerate(encoded["offset_mapping"][index])
        ]
        row = {name: encoded[name][index] for name in tokenizer.model_input_names if name in encoded}
        if getattr(model.network.config, "marks_case", False):
            row["token_type_ids"] = case_types(text, offsets)
        windows.append(
            Window(
                row=row,
                offsets=offsets,
                words=[word if place in mine else None for place, word in enumerate(words)],
                positions=range(min(mine, default=0), max(mine, default=-1) + 1),
                kept=range(min(mine, default=0) + start, min(mine, default=0) + end),
            )
        )
    return tuple(windows)


def pairs(model: LoadedModel, text: str, text_pair: str) -> tuple[Window, ...]:
    """The second text in windows, each after the whole first, which must fit; raises `TourError`."""
    try:
        return split(model, text_pair, question=text)
    except TourError as error:
        if error.field != "question":
            raise
        raise TourError(
            error.code,
            TEXTS["long_pair"].format(limit=model.checkpoint.token_limit, model=model.checkpoint.id),
            "text",
        ) from error


def pair(model: LoadedModel, text: str, text_pair: str) -> tuple[Window, ...]:
    """The longer of two texts in windows, each with the whole of the shorter one; raises `TourError`."""
    first, second = model.tokenizer([text, text_pair], add_special_tokens=False, verbose=False)["input_ids"]
    if len(first) <= len(second):
        return pairs(model, text, text_pair)
    try:
        return split(model, text, behind=text_pair)
    except TourError as error:
        if error.field != "behind":
            raise
        raise TourError(error.code, error.message, "text_pair") from error


def kept(lengths: Sequence[int], overlap: int) -> list[tuple[int, int]]:
    """Which of its tokens [start, end) each window keeps, for windows that share `overlap` with the next.

    The cut is in the middle of what two windows share: before it a token is further from the end of
    the one, after it from the start of the other. Without an overlap there is nothing to cut.
    """
    starts = [0] + [overlap - overlap // 2] * (len(lengths) - 1)
    ends = [length - overlap // 2 for length in lengths[:-1]] + list(lengths[-1:])
    return list(zip(starts, ends, strict=True))


def case_types(text: str, offsets: Sequence[tuple[int, int] | None]) -> list[int]:
    """1 for each token of `text` with a capital letter, else 0; special tokens have no offsets."""
    return [int(pair is not None and any(map(str.isupper, text[slice(*pair)]))) for pair in offsets]


def mean(outputs: Sequence[torch.Tensor], windows: Sequence[Window]) -> torch.Tensor:
    """The mean of what windows gave, each weighed by the tokens that are kept of it."""
    weights = torch.tensor([max(1, len(window.kept)) for window in windows], dtype=torch.float32)
    found: torch.Tensor = weights @ torch.stack(list(outputs)) / weights.sum()
    return found


def tokens_used(windows: Sequence[Window]) -> int:
    """The text's tokens, each counted once, and what stands around them in a window."""
    around = len(windows[0].offsets) - len(windows[0].positions)
    return around + sum(len(window.kept) for window in windows)


def shared(windows: Sequence[Window]) -> int:
    """How many tokens a window has in common with the next."""
    twice = sum(len(window.positions) - len(window.kept) for window in windows)
    return twice // max(1, len(windows) - 1)
