"""What an encoder-decoder writes: translations and summaries. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from components.insight.attention import LONGEST
from components.insight.attributing import Term
from components.insight.attribution import TEXT, Choice
from components.insight.predictions.parts import (
    Asked,
    Offsets,
    Predicting,
    Prediction,
    Units,
    inside_of,
    log_probability,
    offsets_of,
    probe_of,
    refuse_the_same,
    tokens_of,
)
from components.models.errors import Code, TourError
from components.models.tokenizer import wrapped
from components.tasks import causal, translating, translators
from components.tasks.fields import shorten
from components.tasks.languages import AUTO, LANGUAGES

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

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
            "The text has several sentences. Name the word to explain, and the one to compare it with.",
            "against",
        )
    refuse_the_same(target, against)

    def term(index: int, first: int, ids: Sequence[int], ended: bool, weight: float) -> Term:
        row, owners, _, forced, _ = rendered[index]
        before = [start, *forced, *pieces[index][:first]]
        wanted = [*ids, *([end] if ended and end is not None else [])]
        decoder = [*before, *wanted][:-1]
        probe = probe_of(
            model,
            {**row, "decoder_input_ids": decoder},
            owners,
            range(len(before) - 1, len(decoder)),
            use_cache=False,
        )
        return Term(probe=probe, score=log_probability(wanted, len(before) - 1), weight=weight)

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


def explain_translation(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    language = asked.text_pair.strip().lower() or "de"
    if language not in LANGUAGES:
        raise TourError(
            Code.INVALID_INPUT, f"{shorten(language)} is no language code; write one such as de.", "text_pair"
        )
    route = translators.route(model, AUTO, language)
    offsets = offsets_of(model, asked.text)
    text = asked.text
    notes: tuple[str, ...] = ()
    if len(offsets) > LONGEST:
        text = text[: offsets[LONGEST - 1][1]]
        notes += (
            f"The text is long: only the first {LONGEST} of its {len(offsets):,} tokens are explained.",
        )
    cut = translating.cut(model, text, route)
    if not cut.pieces:
        raise TourError(Code.INVALID_INPUT, "There is no word in the text.", "text")
    # Circles are explained too: what the model writes is the question here, not whether it is any good.
    search = translating.Search(beams=4, length_penalty=1.0, best=1, guarded=False)
    found = yield from translating.translate(model, text, cut.pieces, route, search)
    translating.tokenizer_for(model, route)
    rows = []
    places: list[tuple[int, int] | None] = []
    for piece in cut.pieces:
        row, offsets_in = source_row(model, route.prefix, piece.span.of(text))
        rows.append(row)
        places += [pair and (pair[0] + piece.span.start, pair[1] + piece.span.start) for pair in offsets_in]
    owners = units.owners(text, TEXT, places)
    rendered: list[Rendered] = []
    for row, one in zip(rows, found, strict=True):
        size = len(row["input_ids"])
        own, owners = owners[:size], owners[size:]
        forced = [] if route.first_token is None else [route.first_token]
        rendered.append((row, own, one.texts[0], forced, not one.cut))
    if len(cut.pieces) > 1:
        notes += ("The text is translated sentence by sentence: no sentence depends on another.",)
    return explain_written(
        model,
        asked,
        rendered,
        units,
        notes,
        tokens=sum(piece.tokens for piece in cut.pieces),
        choices=[Choice(text=one.texts[0], score=one.scores[0]) for one in found],
    )
