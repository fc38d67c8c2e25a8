"""Names, passages and sentences that are found in a text. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from components.insight.attributing import Probe, Score
from components.insight.attribution import TEXT, Choice
from components.insight.predictions.parts import (
    SHOWN,
    Asked,
    Predicting,
    Prediction,
    Units,
    cut_to_fit,
    ids_of,
    offsets_of,
    output_now,
    probe_of,
    read_window,
    refuse_the_same,
    special_tokens,
    terms_of,
    the_named,
)
from components.models.errors import Code, TourError
from components.tasks import extraction, reading, token_labels, windows
from components.tasks.fields import shorten
from components.tasks.sentences import Span, sentences
from components.tasks.summarization import Summary
from components.tasks.task import Output, Progress

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel


def explain_entity(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    names = [name for _, name in sorted((model.network.config.id2label or {}).items())]
    text, notes = cut_to_fit(model, asked.text, special_tokens(model))
    window = windows.split(model, text)[0]
    places = [place for place in window.positions if window.offsets[place] is not None]
    tokens = [
        token_labels.Token(*offset, window.words[place])
        for place in places
        if (offset := window.offsets[place]) is not None
    ]
    owners = units.owners(text, TEXT, window.offsets)
    probe = probe_of(model, window.row, owners, None)
    yield Progress("Labelling tokens", 0.5)
    probabilities = output_now(probe).logits[0].float().cpu()[places].softmax(dim=1)
    words = token_labels.words(text, tokens)
    spans = token_labels.spans(text, tokens, probabilities, names, "first")
    span = _place(text, asked.target, spans, model)
    # A word is labelled by its first token, as on the page.
    firsts = [word[0] for word in words if span.start <= tokens[word[0]].start < span.end]
    if not firsts:  # inside a word
        firsts = [word[0] for word in words if tokens[word[0]].start < span.end][-1:]
    chosen = [names[int(probabilities[first].argmax())] for first in firsts]
    kinds = {name: token_labels.kind(name, names)[1] for name in names}
    own = span.label or kinds[chosen[0]]

    def labels(wanted: str) -> list[int]:
        """What each word would be labelled, were it all of a kind: those it has, else as in B-PER, I-PER."""
        found = []
        for place, label in enumerate(chosen):
            same = [name for name in names if kinds[name] == wanted]
            begins = [name for name in same if token_labels.kind(name, names)[0] in "BSU"]
            inside = [name for name in same if name not in begins]
            fitting = (begins or inside) if place == 0 else (inside or begins)
            found.append(names.index(label if label in same else fitting[0]))
        return found

    against = the_named(asked.against, kinds.values(), "against", model) if asked.against else ""
    refuse_the_same(own, against)
    reads = [places[first] for first in firsts]

    def score(wanted: str) -> tuple[Probe, Score]:
        at = torch.tensor(reads, device=model.device)
        which = torch.tensor(labels(wanted), device=model.device)
        return marked, lambda output: output.logits[:, at, which].float().mean(dim=1)

    marked = probe_of(model, window.row, owners, reads)
    means = {
        kind: float(probabilities[firsts, labels(kind)].mean()) for kind in dict.fromkeys(kinds.values())
    }
    return Prediction(
        target=text[span.start : span.end],
        against=against,
        terms=terms_of(score, own, against),
        units=units.found,
        choices=[Choice(text=kind, score=means[kind]) for kind in sorted(means, key=lambda one: -means[one])],
        means=f"the raw score (logit) of {own} at “{text[span.start : span.end]}”",
        tokens=len(probe.ids),
        notes=notes,
    )


def _place(
    text: str, wanted: str, spans: Sequence[token_labels.Span], model: LoadedModel
) -> token_labels.Span:
    """The name that is meant, or the word: one without a label of its own has an empty one."""
    if not wanted.strip():
        if not spans:
            raise TourError(
                Code.INVALID_INPUT,
                f"{model.checkpoint.id} finds no name in this text. Write in Explain which word to explain.",
                "target",
            )
        return max(spans, key=lambda one: one.score)
    for span in spans:
        if text[span.start : span.end].casefold() == wanted.strip().casefold():
            return span
    start = _found(text, wanted)
    return token_labels.Span(start, start + len(wanted.strip()), "", 0.0)


def _found(text: str, wanted: str, field: str = "target") -> int:
    start = text.casefold().find(wanted.strip().casefold())
    if start < 0 or len(text.casefold()) != len(text):
        start = text.find(wanted.strip())
    if start < 0:
        raise TourError(
            Code.INVALID_INPUT, f"{shorten(wanted)} does not occur in the text that is explained.", field
        )
    return start


def explain_answer(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    question = asked.text_pair.strip()
    if not question:
        raise TourError(Code.INVALID_INPUT, "Write a question.", "text_pair")
    reserved = len(ids_of(model, question)) + special_tokens(model, pair=True)
    context, notes = cut_to_fit(model, asked.text, reserved, "context")
    found = yield from reading.answer(model, question, context, max_answer_length=30, stride=0)
    if not found.answers:
        raise TourError(Code.INVALID_INPUT, "There is no passage in the context that could answer.", "text")
    plain, window = read_window(model, units, context, question=question)
    output = output_now(plain)
    begins, ends = output.start_logits[0].float().cpu(), output.end_logits[0].float().cpu()

    def edges(span: Span) -> tuple[int, int]:
        """The tokens that the passage is read from: the best pair that grows into these words."""
        here = [
            place
            for place in window.positions
            if (pair := window.offsets[place]) and pair[0] < span.end and span.start < pair[1]
        ]
        first = [place for place in here if _same_word(context, span.start, window.offsets[place])]
        last = [place for place in here if _same_word(context, span.end - 1, window.offsets[place])]
        return max(
            ((start, end) for start in first for end in last if start <= end),
            key=lambda pair: float(begins[pair[0]] + ends[pair[1]]),
        )

    def span_of(name: str, field: str) -> Span:
        for one in found.answers:
            if one.span.of(context).casefold() == name.strip().casefold():
                return one.span
        start = _found(context, name, field)
        return Span(start, start + len(name.strip()))

    best = span_of(asked.target, "target") if asked.target else found.answers[0].span
    other = span_of(asked.against, "against") if asked.against else None
    spans = {best.of(context): best} | ({other.of(context): other} if other else {})
    refuse_the_same(best.of(context), other.of(context) if other else "")
    probe = probe_of(model, window.row, plain.owners, sorted({*edges(best)}))

    def score(name: str) -> tuple[Probe, Score]:
        start, end = edges(spans[name])
        return probe, lambda output: (output.start_logits[:, start] + output.end_logits[:, end]).float()

    choices = [Choice(text=one.span.of(context), score=one.score) for one in found.answers[:SHOWN]]
    if found.no_answer:
        choices = sorted([*choices, Choice(text="(no answer)", score=found.no_answer)], key=_by_score)
    return Prediction(
        target=best.of(context),
        against=other.of(context) if other else "",
        terms=terms_of(score, best.of(context), other.of(context) if other else ""),
        units=units.found,
        choices=choices,
        means=f"the raw scores (logits) of an answer beginning and ending as “{best.of(context)}” does",
        tokens=len(probe.ids),
        notes=notes,
    )


def _by_score(choice: Choice) -> float:
    return -choice.score


def _same_word(text: str, character: int, offset: tuple[int, int] | None) -> bool:
    """Whether a token stands in the run without spaces that a character belongs to."""
    if offset is None:
        return False
    low, high = sorted((character, min(max(offset[0], 0), offset[1] - 1)))
    return not any(map(str.isspace, text[low:high]))


def explain_sentence(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    """The vote for one sentence: the mean of its tokens' logits for "keep" less those for "leave"."""
    text, notes = cut_to_fit(model, asked.text, special_tokens(model))
    output: Output[Summary] | None = None
    for step in extraction.summarize(model, text, 1):
        if isinstance(step, Output):
            output = step
        else:
            yield step
    spans = sentences(text)
    if output is None or not output.result.sentences:
        raise TourError(Code.INVALID_INPUT, "There is no sentence in the text.", "text")
    tokenizer: Any = model.tokenizer
    ids: list[int] = [tokenizer.cls_token_id]
    places: list[tuple[int, int] | None] = [None]
    members: list[list[int]] = []
    for span in spans:
        own = ids_of(model, span.of(text))
        members.append(list(range(len(ids), len(ids) + len(own))))
        ids += own
        places += [(span.start + start, span.start + end) for start, end in offsets_of(model, span.of(text))]
    labels = {name.lower(): int(index) for index, name in (model.network.config.id2label or {}).items()}
    keep, leave = labels[extraction.KEEP], labels[extraction.LEAVE]
    row = {"input_ids": [*ids, tokenizer.sep_token_id]}
    owners = units.owners(text, TEXT, [*places, None])
    logits = output_now(probe_of(model, row, owners, None)).logits[0].float().cpu()
    votes = torch.stack([(logits[own, keep] - logits[own, leave]).mean() for own in members if own])
    names = [span.of(text) for span, own in zip(spans, members, strict=True) if own]
    members = [own for own in members if own]
    shares = votes.softmax(dim=0).tolist()
    target = _one_of(asked.target, names, "target") if asked.target else output.result.sentences[0].text
    against = _one_of(asked.against, names, "against") if asked.against else ""
    refuse_the_same(target, against)
    probe = probe_of(model, row, owners, members[names.index(target)])

    def score(name: str) -> tuple[Probe, Score]:
        own = torch.tensor(members[names.index(name)], device=model.device)
        return probe, lambda out: (out.logits[:, own, keep] - out.logits[:, own, leave]).float().mean(dim=1)

    ranked = sorted(range(len(names)), key=lambda index: -shares[index])
    return Prediction(
        target=target,
        against=against,
        terms=terms_of(score, target, against),
        units=units.found,
        choices=[Choice(text=names[index], score=shares[index]) for index in ranked],
        means="the sentence's vote, the raw score (logit) of “keep” less that of “leave”",
        tokens=len(ids) + 1,
        notes=notes,
    )


def _one_of(wanted: str, names: Sequence[str], field: str) -> str:
    """The sentence that is meant, by all of it or by words in it."""
    for name in names:
        if wanted.strip().casefold() in name.casefold():
            return name
    raise TourError(
        Code.INVALID_INPUT, f"No sentence of the text has the words {shorten(wanted)} in it.", field
    )
