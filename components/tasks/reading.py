"""Answers as passages of a text. Imports torch: import this inside `run`."""

from __future__ import annotations

import unicodedata
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from components.models.errors import Code, TourError
from components.tasks import windows
from components.tasks.sentences import Span
from components.tasks.task import Progress
from components.tasks.windows import Window

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

# Texts that take part in the softmax, as in SQuAD's own evaluation.
N_BEST = 20
# Passages of each window before those of all are put together; more, as many may have the same text.
PER_WINDOW = 20 * N_BEST
# What a question must leave of the token limit for the context.
LEAST_ROOM = 16


@dataclass(frozen=True, kw_only=True)
class Scored:
    span: Span
    score: float


@dataclass(frozen=True, kw_only=True)
class Place:
    """A token of the context, and how likely an answer begins and ends with it."""

    span: Span
    begins: float
    ends: float


@dataclass(frozen=True, kw_only=True)
class Found:
    """`answers` are passages with different texts, likeliest first; `tokens` counts question and context.
    `places` are the context's tokens in order, if they were asked for.

    With `unanswerable`, that nothing answers is likelier than each single passage.
    """

    answers: Sequence[Scored]
    places: Sequence[Place]
    no_answer: float
    unanswerable: bool
    tokens: int
    notes: tuple[str, ...]


@torch.inference_mode()
def answer(
    model: LoadedModel,
    question: str,
    context: str,
    *,
    max_answer_length: int,
    stride: int,
    places: bool = False,
) -> Generator[Progress, None, Found]:
    """Reads the context in windows of the model's size, `stride` tokens of which are the window's before.

    A passage's logit is that of its first token to begin an answer plus that of its last to end one
    (Devlin et al. 2018, https://arxiv.org/abs/1810.04805). Passages grow to whole words. Of those with
    the same text the likeliest stands for all: a text that repeats itself says nothing twice.

    Probabilities are the softmax over the `N_BEST` likeliest texts of all windows together and, if the model
    was taught questions without an answer, over "no answer": the sum of both logits of the first token, in
    the window that is surest there is one, plus the checkpoint's `no_answer_bias` (Rajpurkar et al. 2018,
    https://arxiv.org/abs/1806.03822). All logits are divided by the checkpoint's `answer_temperature`.

    Where answers begin and end is the softmax over the context's tokens alone; a token of several windows
    counts where it is likeliest. Yields after each batch of windows.
    """
    rows = _windows(model, question.strip(), context, stride)
    config = model.network.config
    logits: dict[Span, float] = {}
    edges: dict[Span, tuple[float, float]] = {}
    nothing, done = torch.inf, 0
    for batch, inputs in windows.batches(model, rows):
        output = model.network(**inputs)
        begins, ends = output.start_logits.float().cpu(), output.end_logits.float().cpu()
        for window, begin, end in zip(batch, begins, ends, strict=True):
            nothing = min(nothing, float(begin[0] + end[0]))
            for place in window.positions if places else ():
                if (offset := window.offsets[place]) is not None:
                    token = Span(*offset)
                    known = edges.get(token, (-torch.inf, -torch.inf))
                    edges[token] = max(known[0], float(begin[place])), max(known[1], float(end[place]))
            for span, logit in _passages(window, context, begin, end, max_answer_length):
                logits[span] = max(logit, logits.get(span, -torch.inf))
        done += len(batch)
        yield Progress("Reading the context", done / len(rows))
    best = _by_text(context, logits)[:N_BEST]
    nothing += getattr(config, "no_answer_bias", 0.0)
    if not _taught(model):
        nothing = -torch.inf if best else 0.0
    scores = torch.tensor([*(logit for _, logit in best), nothing], dtype=torch.float64)
    temperature = getattr(config, "answer_temperature", 1.0)
    *probabilities, no_answer = (scores / temperature).softmax(dim=0).tolist()
    return Found(
        answers=[
            Scored(span=span, score=score) for (span, _), score in zip(best, probabilities, strict=True)
        ],
        places=_places(edges, temperature),
        no_answer=no_answer,
        unanswerable=not best or nothing > best[0][1],
        tokens=windows.tokens_used(rows),
        notes=_notes(rows),
    )


def _windows(model: LoadedModel, question: str, context: str, stride: int) -> Sequence[Window]:
    asked = len(model.tokenizer(question, verbose=False)["input_ids"])
    if asked > model.checkpoint.token_limit - LEAST_ROOM:
        raise TourError(
            Code.TOO_LONG,
            f"The question takes {asked:,} of the {model.checkpoint.token_limit:,} tokens that "
            f"{model.checkpoint.id} reads at once. Shorten it.",
            "question",
        )
    return windows.split(model, context, overlap=stride, question=question)


def _passages(
    window: Window, context: str, begins: torch.Tensor, ends: torch.Tensor, longest: int
) -> list[tuple[Span, float]]:
    """The likeliest passages of a window with their logits."""
    if not window.positions:
        return []
    tokens = slice(window.positions.start, window.positions.stop)
    table = begins[tokens, None] + ends[tokens]  # [tokens, tokens]: from which to which
    allowed = torch.ones_like(table, dtype=torch.bool).triu().tril(longest - 1)
    best = table.where(allowed, -torch.inf).flatten().topk(min(PER_WINDOW, int(allowed.sum())))
    places = [offset for offset in window.offsets[tokens] if offset is not None]
    found = []
    for logit, cell in zip(best.values.tolist(), best.indices.tolist(), strict=True):
        first, last = divmod(cell, len(places))
        span = _whole_words(context, Span(places[first][0], places[last][1]))
        if span.start < span.end:
            found.append((span, logit))
    return found


def _places(edges: Mapping[Span, tuple[float, float]], temperature: float) -> list[Place]:
    if not edges:
        return []
    likely = (torch.tensor(list(edges.values()), dtype=torch.float64) / temperature).softmax(dim=0).tolist()
    places = [
        Place(span=span, begins=begin, ends=end) for span, (begin, end) in zip(edges, likely, strict=True)
    ]
    return sorted(places, key=lambda place: place.span)


def _whole_words(text: str, span: Span) -> Span:
    """Without space at its ends, and with the rest of a word that was begun."""
    start, end = span.start, span.end
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    if start < end:
        while start and _of_a_word(text[start - 1]) and _of_a_word(text[start]):
            start -= 1
        while end < len(text) and _of_a_word(text[end - 1]) and _of_a_word(text[end]):
            end += 1
    return Span(start, end)


def _of_a_word(character: str) -> bool:
    """Letters without case (Lo) are left alone: their scripts often put no spaces between words."""
    return unicodedata.category(character) in ("Lu", "Ll", "Lt", "Nd", "Mn")


def _taught(model: LoadedModel) -> bool:
    """Whether "no answer" was among what the checkpoint was trained on: its config says so, or, on the Hub,
    that it is named after SQuAD 2.
    """
    name = model.checkpoint.id.lower().replace("-", "").replace("_", "")
    return hasattr(model.network.config, "no_answer_bias") or "squad2" in name or "squadv2" in name


def _by_text(context: str, logits: Mapping[Span, float]) -> list[tuple[Span, float]]:
    """The likeliest passage of each text with its logit, the likeliest first."""
    texts: dict[str, tuple[Span, float]] = {}
    for span, logit in sorted(logits.items(), key=lambda passage: (-passage[1], passage[0])):
        texts.setdefault(span.of(context).casefold(), (span, logit))
    return list(texts.values())


def _notes(rows: Sequence[Window]) -> tuple[str, ...]:
    if len(rows) == 1:
        return ()
    return (
        f"The context is longer than the model reads at once: read in {len(rows):,} windows, each with the "
        f"last {windows.shared(rows)} tokens of the one before.",
    )
