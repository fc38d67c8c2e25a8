"""A word for a gap, as something to explain. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from components.models.checkpoint import Head
from components.models.errors import Code, TourError
from components.tasks import causal
from components.tasks.attribution_input import AttributionInput, Score
from components.tasks.explained import LONGEST, TEXT, Asked, Choice
from components.tasks.explanation import (
    SHOWN,
    Predicting,
    Prediction,
    Units,
    attribution_input,
    ids_of,
    log_probability,
    offsets_of,
    output_now,
    refuse_the_same,
    special_tokens,
    terms_of,
    without_space,
)
from components.tasks.fields import shorten
from components.tasks.fill_mask import MASK, MOST_GAPS, Inputs, Options, causal_lm
from components.tasks.stages import whole_answer
from components.tasks.task import Progress
from components.tasks.written import (
    written_score,
)
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)


def explain(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    gaps = asked.text.count(MASK)
    if not 1 <= gaps <= MOST_GAPS:
        raise TourError(
            Code.INVALID_INPUT, f"Write {MASK} where a word is missing, at most {MOST_GAPS} times.", "text"
        )
    by = _fill_masked if model.checkpoint.head is Head.MASKED_LM else _fill_causal
    return (yield from by(model, asked, units))


def _around(model: LoadedModel, text: str, room: int) -> tuple[int, int, tuple[str, ...]]:
    """The part of a text around its first gap that is read, and a note if that is not all."""
    room = min(room, LONGEST)
    gap = text.index(MASK)
    before, behind = offsets_of(model, text[:gap]), offsets_of(model, text[gap + len(MASK) :])
    if len(before) + len(behind) <= room:
        return 0, len(text), ()
    half = room // 2
    left = min(len(before), max(half, room - len(behind)))
    right = min(len(behind), room - left)
    start = before[-left][0] if left else gap
    end = gap + len(MASK) + (behind[right - 1][1] if right else 0)
    note = TEXTS["long_text"].format(read=left + right, total=len(before) + len(behind))
    return start, end, (note,)


def _joined(parts: Sequence[str], fillings: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """The parts with something in each gap, and where each part stands then."""
    text, ranges = "", []
    for index, part in enumerate(parts):
        ranges.append((len(text), len(text) + len(part)))
        text += part + (fillings[index] if index < len(fillings) else "")
    return text, ranges


def _back(
    pair: tuple[int, int], ranges: Sequence[tuple[int, int]], filled: Sequence[str]
) -> tuple[int, int] | None:
    """Where a token of a text with filled gaps stands in the one with `MASK` in them; None in a gap."""
    for index, (start, end) in enumerate(ranges):
        if start <= pair[0] and pair[1] <= end and pair[0] < pair[1]:
            moved = sum(len(MASK) - len(word) for word in filled[:index])
            return pair[0] + moved, pair[1] + moved
    return None


def _fill_masked(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    tokenizer: Any = model.tokenizer
    room = model.checkpoint.token_limit - special_tokens(model) - asked.text.count(MASK)
    start, end, notes = _around(model, asked.text, room)
    text = asked.text[start:end]
    parts = text.split(MASK)
    marks = [tokenizer.mask_token] * (len(parts) - 1)
    whole, ranges = _joined(parts, marks)
    encoded = tokenizer(whole, return_offsets_mapping=True, return_special_tokens_mask=True)
    offsets = [
        None if id == tokenizer.mask_token_id or special else _back(tuple(pair), ranges, marks)
        for id, pair, special in zip(
            encoded["input_ids"], encoded["offset_mapping"], encoded["special_tokens_mask"], strict=True
        )
    ]
    row = {name: encoded[name] for name in tokenizer.model_input_names if name in encoded}
    gap = list(encoded["input_ids"]).index(tokenizer.mask_token_id)
    network_input = attribution_input(model, row, units.owners(text, TEXT, offsets, start), [gap])
    yield Progress("Filling the gap", 0.5)
    logits = output_now(network_input).logits[0, gap].float().cpu()
    shares = logits.softmax(dim=0)
    ranked = logits.clone()
    ranked[torch.tensor(tokenizer.all_special_ids)] = -torch.inf
    best = ranked.topk(SHOWN).indices.tolist()

    def word(id: int) -> str:
        return str(tokenizer.decode([id])).strip().removeprefix("##")

    def token(name: str, field: str) -> int:
        for id in best:
            if word(id) == name.strip():
                return int(id)
        ids = ids_of(model, f" {name.strip()}")
        if len(ids) != 1 or ids[0] == tokenizer.unk_token_id:
            raise TourError(
                Code.INVALID_INPUT,
                f"{model.checkpoint.id} has no single token for {shorten(name)}; name another word.",
                field,
            )
        return ids[0]

    target = token(asked.target, "target") if asked.target.strip() else int(best[0])
    against = token(asked.against, "against") if asked.against.strip() else None
    ids = {word(target): target} | ({word(against): against} if against is not None else {})
    refuse_the_same(word(target), word(against) if against is not None else "")

    def score(name: str) -> tuple[AttributionInput, Score]:
        id = ids[name]
        return network_input, log_probability([id], gap)

    return Prediction(
        target=word(target),
        against=word(against) if against is not None else "",
        terms=terms_of(score, word(target), word(against) if against is not None else ""),
        units=units.found,
        choices=[
            Choice(text=word(id), score=float(shares[id])) for id in dict.fromkeys([*best, *ids.values()])
        ],
        means=f"the logarithm of the probability of “{word(target)}” in the gap",
        tokens=len(network_input.ids),
        notes=notes,
    )


def _fill_causal(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    start, end, notes = _around(model, asked.text, model.checkpoint.token_limit // 2)
    text = asked.text[start:end]
    parts = text.split(MASK)
    inputs, options = Inputs(text=text), Options(top_k=SHOWN)
    output = yield from whole_answer(causal_lm, model, inputs, options)
    candidates = output.result.candidates
    best = candidates[0].token.split(" / ")
    target = asked.target.strip() or best[0]
    against = asked.against.strip()
    refuse_the_same(target, against)
    separator = causal.separator(model)

    def score(name: str) -> tuple[AttributionInput, Score]:
        words = [name, *best[1:]]
        whole, ranges = _joined(parts, words)
        ids = ids_of(model, whole)
        places = [
            _back(span_pair, ranges, words) if (span_pair := _tight(whole, pair)) else None
            for pair in offsets_of(model, whole)
        ]
        owners = units.owners(text, TEXT, [None, *places], start)
        return written_score(model, [separator, *ids], owners, ids)

    return Prediction(
        target=target,
        against=against,
        terms=terms_of(score, target, against),
        units=units.found,
        choices=[Choice(text=one.token, score=one.score) for one in candidates],
        means=TEXTS["logarithm"].format(target=target),
        tokens=output.tokens_used,
        notes=(
            *notes,
            TEXTS["direction"],
        ),
    )


def _tight(text: str, pair: tuple[int, int]) -> tuple[int, int] | None:
    span = without_space(text, *pair)
    return (span.start, span.end) if span else None
