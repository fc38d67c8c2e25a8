"""A summary, as something to explain. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from components.models.checkpoint import Head
from components.models.errors import Code, TourError
from components.tasks.attribution_input import AttributionInput, Score
from components.tasks.explained import TEXT, Asked, Choice
from components.tasks.explanation import (
    Offsets,
    Predicting,
    Prediction,
    Units,
    attribution_input,
    cut_to_fit,
    ids_of,
    inside_of,
    offsets_of,
    output_now,
    refuse_the_same,
    special_tokens,
    terms_of,
)
from components.tasks.fields import shorten
from components.tasks.sentences import sentences
from components.tasks.stages import whole_answer
from components.tasks.summarization import Inputs, Options, abstractive, extractive
from components.tasks.written import (
    chat,
    explain_continued,
    explain_written,
    source_row,
)
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)


def explain(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    """What a model wrote, or a word in it: its log-probability after the text."""
    if model.checkpoint.head is Head.TOKEN_CLASSIFICATION:
        return (yield from _explain_sentence(model, asked, units))
    most = 2
    text, notes = cut_to_fit(model, asked.text, model.checkpoint.token_limit // 2 + 64)
    output = yield from whole_answer(abstractive, model, Inputs(text=text), Options(max_sentences=most))
    written = output.result.summary
    notes = (*notes, *output.notes)
    if not written:
        raise TourError(
            Code.INVALID_INPUT, "The model wrote no summary of this text. Write more text.", ("text")
        )
    if model.checkpoint.head is Head.SEQ2SEQ_LM:
        tasks = getattr(model.network.config, "task_specific_params", None) or {}
        prefix = tasks.get("summarization", {}).get("prefix", "")
        row, offsets = source_row(model, prefix, text)
        return explain_written(
            model, asked, [(row, units.owners(text, TEXT, offsets), written, [], True)], units, notes
        )
    ids, places = _summary_prompt(model, text, most)
    answer = ids_of(model, written)
    return explain_continued(
        model, asked, units, ids, units.owners(text, TEXT, places), answer, written, notes
    )


def _summary_prompt(
    model: LoadedModel, text: str, most: int
) -> tuple[list[int], list[tuple[int, int] | None]]:
    """A decoder's prompt as the page has it, with the places of the text's tokens."""
    if not model.tokenizer.chat_template:
        whole, at = f"{text}\n\nTL;DR:", 0
        encoded = model.tokenizer(whole, return_offsets_mapping=True, return_special_tokens_mask=True)
        ids = list(encoded["input_ids"])
        pairs: Offsets = [
            None if special else (pair[0], pair[1])
            for pair, special in zip(encoded["offset_mapping"], encoded["special_tokens_mask"], strict=True)
        ]
    else:
        asking = f"Summarize in {most} short sentences:\n\n"
        messages = [
            {"role": "system", "content": abstractive.SYSTEM},
            {"role": "user", "content": f"{asking}{text}"},
        ]
        whole, start = chat(model, messages)
        at = whole.find(text.strip(), start)
        ids, pairs = ids_of(model, whole), offsets_of(model, whole)
    kept = text.strip()
    lead = text.find(kept)
    places = inside_of(pairs, max(at, 0), max(at, 0) + len(kept))
    return ids, [pair and (pair[0] + lead, pair[1] + lead) for pair in places]


def _explain_sentence(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    """The vote for one sentence: the mean of its tokens' logits for "keep" less those for "leave"."""
    text, notes = cut_to_fit(model, asked.text, special_tokens(model))
    output = yield from whole_answer(extractive, model, Inputs(text=text), Options(max_sentences=1))
    spans = sentences(text)
    if not output.result.sentences:
        raise TourError(Code.INVALID_INPUT, "There is no sentence in the text. Write at least one.", "text")
    tokenizer: Any = model.tokenizer
    ids: list[int] = [tokenizer.cls_token_id]
    places: list[tuple[int, int] | None] = [None]
    members: list[list[int]] = []
    for span in spans:
        own = ids_of(model, span.of(text))
        members.append(list(range(len(ids), len(ids) + len(own))))
        ids += own
        places += [(span.start + start, span.start + end) for start, end in offsets_of(model, span.of(text))]
    keep, leave = extractive.keep_and_leave(model)
    row = {"input_ids": [*ids, tokenizer.sep_token_id]}
    owners = units.owners(text, TEXT, [*places, None])
    logits = output_now(attribution_input(model, row, owners, None)).logits[0].float().cpu()
    votes = torch.stack([(logits[own, keep] - logits[own, leave]).mean() for own in members if own])
    names = [span.of(text) for span, own in zip(spans, members, strict=True) if own]
    members = [own for own in members if own]
    shares = votes.softmax(dim=0).tolist()
    target = _one_of(asked.target, names, "target") if asked.target else output.result.sentences[0].text
    against = _one_of(asked.against, names, "against") if asked.against else ""
    refuse_the_same(target, against)
    network_input = attribution_input(model, row, owners, members[names.index(target)])

    def score(name: str) -> tuple[AttributionInput, Score]:
        own = torch.tensor(members[names.index(name)], device=model.device)
        return (
            network_input,
            lambda out: (out.logits[:, own, keep] - out.logits[:, own, leave]).float().mean(dim=1),
        )

    ranked = sorted(range(len(names)), key=lambda index: -shares[index])
    return Prediction(
        target=target,
        against=against,
        terms=terms_of(score, target, against),
        units=units.found,
        choices=[Choice(text=names[index], score=shares[index]) for index in ranked],
        means=TEXTS["vote"],
        tokens=len(ids) + 1,
        notes=notes,
    )


def _one_of(wanted: str, names: Sequence[str], field: str) -> str:
    """The sentence that is meant, by all of it or by words in it."""
    for name in names:
        if wanted.strip().casefold() in name.casefold():
            return name
    raise TourError(
        Code.INVALID_INPUT,
        TEXTS["no_sentence"].format(word=shorten(wanted)),
        field,
    )
