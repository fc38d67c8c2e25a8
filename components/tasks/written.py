"""Texts that a network wrote as something to explain: all of it, or a word. Imports torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from components.models.errors import Code, TourError
from components.models.tokenizer import wrapped
from components.tasks import causal
from components.tasks.attribution_input import AttributionInput, Score, Term
from components.tasks.explained import Asked, Choice
from components.tasks.explanation import (
    Offsets,
    Prediction,
    Units,
    attribution_input,
    decoder_input,
    ids_of,
    inside_of,
    log_probability,
    offsets_of,
    refuse_the_same,
    terms_of,
    tokens_of,
)
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

Source = dict[str, list[int]]


def source_row(
    model: LoadedModel, prefix: str, text: str, tokenizer: Any = None
) -> tuple[Source, list[tuple[int, int] | None]]:
    """What the encoder reads, with the places of the text's tokens; `prefix` is not the text's."""
    encoded = (tokenizer or model.tokenizer)(prefix + text, verbose=False)
    ids = list(encoded["input_ids"])
    if model.tokenizer.is_fast:
        exact = model.tokenizer(
            prefix + text, return_offsets_mapping=True, return_special_tokens_mask=True, verbose=False
        )
        pairs: Offsets = [
            None if special else (pair[0], pair[1])
            for pair, special in zip(exact["offset_mapping"], exact["special_tokens_mask"], strict=True)
        ]
    else:
        known = wrapped(model.tokenizer)
        if known is None:
            offsets_of(model, text)  # which says so
            raise AssertionError("a tokenizer without places was taken")
        pairs = [None if token.special else (token.start, token.end) for token in known.encode(prefix + text)]
    return {"input_ids": ids, "attention_mask": [1] * len(ids)}, inside_of(
        pairs, len(prefix), len(prefix) + len(text)
    )


Rendered = tuple[Source, Sequence["int | None"], str, Sequence[int], bool]


"""What the encoder reads, who owns it, what was written, the ids it had to begin with, whether it ended."""


def explain_written(
    model: LoadedModel,
    asked: Asked,
    rendered: Sequence[Rendered],
    units: Units,
    notes: tuple[str, ...],
    tokens: int | None = None,
    choices: Sequence[Choice] = (),
) -> Prediction:
    """What an encoder-decoder wrote, piece by piece: all of it, or the first occurrence of one word."""
    config = model.network.config
    start = config.decoder_start_token_id
    ends = causal.stop_ids(model)
    end = next(iter(sorted(ends)), None)
    pieces = [_target_ids(model, text) for _, _, text, _, _ in rendered]
    word, against = asked.target.strip(), asked.against.strip()
    if word:
        for index, ids in enumerate(pieces):
            whole = str(model.tokenizer.decode(ids))
            if word.casefold() in whole.casefold() or index == len(pieces) - 1:
                first, last = tokens_of(model, ids, word, "target")
                chosen = [(index, first, ids[first:last], False)]
                break
        target = str(model.tokenizer.decode(chosen[0][2])).strip()
    else:
        chosen = [
            (index, 0, ids, ended)
            for index, (ids, (*_, ended)) in enumerate(zip(pieces, rendered, strict=True))
        ]
        target = " ".join(text for _, _, text, _, _ in rendered)
    if against and len(chosen) > 1:
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["several_sentences"],
            "against",
        )
    refuse_the_same(target, against)

    def term(index: int, first: int, ids: Sequence[int], ended: bool, weight: float) -> Term:
        row, owners, _, forced, _ = rendered[index]
        before = [start, *forced, *pieces[index][:first]]
        wanted = [*ids, *([end] if ended and end is not None else [])]
        decoder = [*before, *wanted][:-1]
        network_input = attribution_input(
            model,
            {**row, "decoder_input_ids": decoder},
            owners,
            range(len(before) - 1, len(decoder)),
            use_cache=False,
        )
        return Term(input=network_input, score=log_probability(wanted, len(before) - 1), weight=weight)

    terms = [term(*one, 1.0) for one in chosen]
    if against:
        index, first, _, ended = chosen[0]
        other = _target_ids(model, against)
        terms.append(term(index, first, other, ended, -1.0))
    found = list(choices) if choices and not word and not against else []
    if not found:
        total = sum(one.now() for one in terms if one.weight > 0)
        found = [Choice(text=target, score=float(torch.tensor(total).exp()))]
        found += [
            Choice(text=against, score=float(torch.tensor(-one.now()).exp()))
            for one in terms
            if one.weight < 0
        ]
    return Prediction(
        target=target,
        against=against,
        terms=terms,
        units=units.found,
        choices=found,
        means=f"the logarithm of the probability of “{target}”",
        tokens=sum(len(row["input_ids"]) for row, *_ in rendered) if tokens is None else tokens,
        notes=notes,
    )


def _target_ids(model: LoadedModel, text: str) -> list[int]:
    """The tokens of a text that is written, without special ones."""
    return list(model.tokenizer(text_target=text, add_special_tokens=False, verbose=False)["input_ids"])


def written_score(
    model: LoadedModel, ids: Sequence[int], owners: Sequence[int | None], end: Sequence[int]
) -> tuple[AttributionInput, Score]:
    """The log-probability of the last tokens of a text, after those before them, under a causal model."""
    count = len(end)
    network_input = decoder_input(model, ids, owners, range(len(ids) - count - 1, len(ids) - 1))
    return network_input, log_probability(end, -count - 1)


def chat(model: LoadedModel, messages: Sequence[Mapping[str, str]]) -> tuple[str, int]:
    """Messages in the checkpoint's template, and where the last one's text begins in it."""
    tokenizer: Any = model.tokenizer

    def rendered(content: str) -> str:
        told = [*messages[:-1], {**messages[-1], "content": content}]
        text: str = tokenizer.apply_chat_template(
            told, add_generation_prompt=True, tokenize=False, enable_thinking=False
        )
        return text

    whole = rendered(messages[-1]["content"])
    return whole, rendered("\ue000").index("\ue000")


def explain_continued(
    model: LoadedModel,
    asked: Asked,
    units: Units,
    prompt: Sequence[int],
    owners: Sequence[int | None],
    answer: Sequence[int],
    written: str,
    notes: tuple[str, ...],
) -> Prediction:
    """A decoder's text after its prompt, all of it or one word."""
    first, last = (
        tokens_of(model, answer, asked.target, "target") if asked.target.strip() else (0, len(answer))
    )
    target = str(model.tokenizer.decode(list(answer[first:last]))).strip()

    def score(name: str) -> tuple[AttributionInput, Score]:
        end = list(answer[first:last]) if name == target else _instead(model, name, first)
        ids = [*prompt, *answer[:first], *end]
        more: list[None] = [None] * (len(ids) - len(prompt))
        return written_score(model, ids, [*owners, *more], end)

    against = asked.against.strip()
    refuse_the_same(target, against)
    return Prediction(
        target=target,
        against=against,
        terms=terms_of(score, target, against),
        units=units.found,
        choices=_likelihoods(score, [target, *([against] if against else [])]),
        means=f"the logarithm of the probability of “{target}”",
        tokens=len(prompt) + len(answer),
        notes=notes,
    )


def _instead(model: LoadedModel, text: str, place: int) -> list[int]:
    """The tokens of a text that goes on from another."""
    return ids_of(model, f" {text}" if place else text)


def _likelihoods(
    score: Callable[[str], tuple[AttributionInput, Score]], names: Sequence[str]
) -> list[Choice]:
    """The probability of each, as a whole."""
    found = []
    for name in names:
        network_input, of = score(name)
        found.append(Choice(text=name, score=Term(input=network_input, score=of).now()))
    return [Choice(text=one.text, score=float(torch.tensor(one.score).exp())) for one in found]
