"""What a decoder says next, and the summaries that it writes. Imports torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from components.insight.attributing import Probe, Score, Term
from components.insight.attribution import PAIR, TEXT, Choice
from components.insight.predictions.parts import (
    SHOWN,
    Asked,
    Offsets,
    Predicting,
    Prediction,
    Units,
    cut_to_fit,
    ids_of,
    inside_of,
    log_probability,
    offsets_of,
    output_now,
    probe_of,
    refuse_the_same,
    terms_of,
    tokens_of,
)
from components.insight.predictions.places import explain_sentence
from components.insight.predictions.rewriting import explain_written, source_row
from components.models.checkpoint import Head
from components.models.errors import Code, TourError
from components.tasks import abstraction, decoding, text_generation
from components.tasks.fields import shorten
from components.tasks.summarization import Summary
from components.tasks.task import Output, Progress

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel


def written_score(
    model: LoadedModel, ids: Sequence[int], owners: Sequence[int | None], end: Sequence[int]
) -> tuple[Probe, Score]:
    """The log-probability of the last tokens of a text, after those before them, under a causal model."""
    count = len(end)
    probe = probe_of(
        model,
        {"input_ids": ids},
        owners,
        range(len(ids) - count - 1, len(ids) - 1),
        use_cache=False,
        logits_to_keep=count + 1,
    )
    return probe, log_probability(end, -count - 1)


def _chat(model: LoadedModel, messages: Sequence[Mapping[str, str]]) -> tuple[str, int]:
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


def explain_next_token(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    """The first token of an answer to the prompt; the second text is how the answer begins."""
    text, notes = cut_to_fit(model, asked.text, 64)
    begun_text, more = cut_to_fit(model, asked.text_pair, 0, "beginning") if asked.text_pair else ("", ())
    prompt = text_generation.prompt_ids(model, text, text_generation.Options())
    begun = ids_of(model, begun_text)
    ids = [*prompt, *begun]
    offsets: list[tuple[int, int] | None]
    if model.tokenizer.chat_template:
        whole, start = _chat(model, [{"role": "user", "content": text}])
        if ids_of(model, whole) != prompt:
            raise TourError(
                Code.INVALID_INPUT,
                "The text has a control token of the model, such as the one that ends a turn, which is read "
                "as text. Take it out to see what the answer rests on.",
                "text",
            )
        kept = text.strip()  # many templates leave the space around a message out
        at = whole.find(kept, start)
        lead = text.find(kept)
        places = inside_of(offsets_of(model, whole), at, at + len(kept))
        offsets = [pair and (pair[0] + lead, pair[1] + lead) for pair in places]
    else:
        encoded = model.tokenizer(text, return_offsets_mapping=True, return_special_tokens_mask=True)
        offsets = [
            None if special else (pair[0], pair[1])
            for pair, special in zip(encoded["offset_mapping"], encoded["special_tokens_mask"], strict=True)
        ]
    nothing: list[None] = [None] * len(begun)
    owners = units.owners(text, TEXT, [*offsets, *nothing])
    if begun:
        its = units.owners(begun_text, PAIR, [*[None] * len(prompt), *offsets_of(model, begun_text)])
        owners = [one if one is not None else other for one, other in zip(owners, its, strict=True)]
    probe = probe_of(model, {"input_ids": ids}, owners, [len(ids) - 1], use_cache=False, logits_to_keep=1)
    yield Progress("Reading the prompt", 0.5)
    logits = output_now(probe).logits[0, -1].float().cpu()
    pieces = decoding.Pieces(model)
    best = logits.topk(SHOWN).indices.tolist()
    shares = logits.softmax(dim=0)

    def shown(id: int) -> str:
        return pieces.after(begun, id)

    def token(name: str, field: str) -> int:
        for same in (name, name.strip()):
            for id in best:
                if same in (shown(id), shown(id).strip()):
                    return int(id)
        found = [own[0] for spelled in (name, f" {name.strip()}") if len(own := ids_of(model, spelled)) == 1]
        if not found:
            raise TourError(
                Code.INVALID_INPUT,
                f"{shorten(name)} is not one token of {model.checkpoint.id}, which writes token by token. "
                "Name a shorter word, or the beginning of this one.",
                field,
            )
        return max(found, key=lambda id: float(logits[id]))

    wanted = token(asked.target, "target") if asked.target else int(best[0])
    target = shown(wanted)
    ids_by_name = {target: wanted}
    against = ""
    if asked.against:
        other = token(asked.against, "against")
        against = shown(other)
        refuse_the_same(target, against)
        ids_by_name[against] = other

    def score(name: str) -> tuple[Probe, Score]:
        id = ids_by_name[name]
        return probe, log_probability([id], -1)

    return Prediction(
        target=target,
        against=against,
        terms=terms_of(score, target, against),
        units=units.found,
        choices=[
            Choice(text=shown(id), score=float(shares[id]))
            for id in dict.fromkeys([*best, *ids_by_name.values()])
        ],
        means=f"the logarithm of the probability of the next token “{target.strip() or target}”",
        tokens=len(ids),
        notes=(*notes, *more),
    )


def explain_summary(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    """What a model wrote, or a word in it: its log-probability after the text."""
    if model.checkpoint.head is Head.TOKEN_CLASSIFICATION:
        return (yield from explain_sentence(model, asked, units))
    most = 2
    text, notes = cut_to_fit(model, asked.text, model.checkpoint.token_limit // 2 + 64)
    output: Output[Summary] | None = None
    writing = abstraction.summarize(model, text, most, num_beams=4, no_repeat_ngram_size=3)
    for step in writing:
        if isinstance(step, Output):
            output = step
        else:
            yield step
    written = output.result.summary if output else ""
    notes = (*notes, *(output.notes if output else ()))
    if not written:
        raise TourError(Code.INVALID_INPUT, "The model wrote no summary of this text.", "text")
    if model.checkpoint.head is Head.SEQ2SEQ_LM:
        tasks = getattr(model.network.config, "task_specific_params", None) or {}
        prefix = tasks.get("summarization", {}).get("prefix", "")
        row, offsets = source_row(model, prefix, text)
        return explain_written(
            model, asked, [(row, units.owners(text, TEXT, offsets), written, [], True)], units, notes
        )
    ids, places = _summary_prompt(model, text, most)
    answer = ids_of(model, written)
    return _said(model, asked, units, ids, units.owners(text, TEXT, places), answer, written, notes)


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
            {"role": "system", "content": abstraction.SYSTEM},
            {"role": "user", "content": f"{asking}{text}"},
        ]
        whole, start = _chat(model, messages)
        at = whole.find(text.strip(), start)
        ids, pairs = ids_of(model, whole), offsets_of(model, whole)
    kept = text.strip()
    lead = text.find(kept)
    places = inside_of(pairs, max(at, 0), max(at, 0) + len(kept))
    return ids, [pair and (pair[0] + lead, pair[1] + lead) for pair in places]


def _said(
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

    def score(name: str) -> tuple[Probe, Score]:
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


def _likelihoods(score: Callable[[str], tuple[Probe, Score]], names: Sequence[str]) -> list[Choice]:
    """The probability of each, as a whole."""
    found = []
    for name in names:
        probe, of = score(name)
        found.append(Choice(text=name, score=Term(probe=probe, score=of).now()))
    return [Choice(text=one.text, score=float(torch.tensor(one.score).exp())) for one in found]
