"""Answers as passages of a text, from how likely each token begins and ends one. Imports torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from components.models.errors import Code, TourError
from components.tasks import network, windows
from components.tasks.question_answering import Answers, Inputs, Options, Passage, Position
from components.tasks.sentences import Span
from components.tasks.stages import Forward
from components.tasks.task import Output
from components.tasks.windows import Window
from components.tasks.words import Words
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

LEAST_LIKELY = 0.001  # of a position that is told
# Of the embedded model on SQuAD's dev part: of answers below it one in five is right, above it most are.
UNSURE = 0.2
# Passages that take part in the softmax, as in SQuAD's own evaluation.
N_BEST = 20
# Of each window before those of all are put together; more, as some are the same passage or have its text.
PER_WINDOW = 10 * N_BEST
# What a question must leave of the token limit for the context.
LEAST_ROOM = 16


@dataclass(frozen=True, kw_only=True)
class Found:
    """`answers` are passages with different texts that do not overlap, likeliest first; `positions` are the
    context's tokens in order, if they were asked for.

    With `unanswerable`, that nothing answers is likelier than each single passage.
    """

    answers: Sequence[Passage]
    positions: Sequence[Position]
    no_answer: float
    unanswerable: bool


Logits = tuple[torch.Tensor, torch.Tensor]
"""Of a window: how much speaks for each token to begin an answer [tokens], and to end one [tokens]."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Windows of the context, each after the whole question."""

    rows: tuple[Window, ...]


def preprocess(model: LoadedModel, inputs: Inputs, options: Options) -> Prepared:
    return Prepared(rows=_windows(model, inputs.question.strip(), inputs.context, options.stride))


def forward(model: LoadedModel, rows: Sequence[Window]) -> Forward[Logits]:
    """The logits of both ends [tokens] of each window."""
    return network.forward(model, rows, "Reading the context", _logits)


def _logits(output: Any, mask: torch.Tensor) -> list[Logits]:
    begins, ends = output.start_logits.float().cpu(), output.end_logits.float().cpu()
    return list(zip(begins, ends, strict=True))


def postprocess(
    model: LoadedModel, inputs: Inputs, options: Options, prepared: Prepared, outputs: Sequence[Logits]
) -> Output[Answers]:
    found = find(
        model,
        inputs.context,
        prepared.rows,
        outputs,
        max_answer_length=options.max_answer_length,
        positions=options.positions,
    )
    empty = options.allow_no_answer and found.unanswerable
    notes = _notes(prepared.rows)
    if empty:
        notes += (TEXTS["no_answer"],)
    elif found.answers and (best := found.answers[0].score) < UNSURE:
        notes += (TEXTS["unsure"].format(percent=100 * best),)
    return Output(
        result=Answers(
            answers=[] if empty else list(found.answers[: options.top_k]),
            no_answer=found.no_answer,
            positions=[one for one in found.positions if max(one.begins, one.ends) >= LEAST_LIKELY],
        ),
        tokens_used=windows.tokens_used(prepared.rows),
        token_limit=model.checkpoint.token_limit,
        notes=notes,
    )


def find(
    model: LoadedModel,
    context: str,
    rows: Sequence[Window],
    outputs: Sequence[Logits],
    *,
    max_answer_length: int,
    positions: bool = False,
) -> Found:
    """The answers that the logits of all windows together speak for.

    A passage's logit is that of its first token to begin an answer plus that of its last to end one
    (Devlin et al. 2018, https://arxiv.org/abs/1810.04805). Probabilities are the softmax over the passages
    with the `N_BEST` likeliest texts and, if the model was trained on questions without an answer, over "no
    answer": the sum of both logits of the first token, in the window that is most confident there is one,
    plus the checkpoint's `no_answer_bias` (Rajpurkar et al. 2018, https://arxiv.org/abs/1806.03822). All
    logits are divided by the checkpoint's `answer_temperature`. Passages grow to whole words; of passages
    with the same text the likeliest stands for all, with the sum of their probabilities; of those that
    overlap the likeliest is told. `positions` are the softmax over the context's tokens alone; a token of
    several windows counts where it is likeliest.
    """
    config = model.network.config
    logits: dict[Span, float] = {}
    edges: dict[Span, tuple[float, float]] = {}
    nothing, words = torch.inf, Words(context)
    for window, (begin, end) in zip(rows, outputs, strict=True):
        nothing = min(nothing, float(begin[0] + end[0]))
        for place in window.positions if positions else ():
            if (offset := window.offsets[place]) is not None:
                token = Span(*offset)
                known = edges.get(token, (-torch.inf, -torch.inf))
                edges[token] = max(known[0], float(begin[place])), max(known[1], float(end[place]))
        for span, logit in _passages(window, context, words, begin, end, max_answer_length):
            logits[span] = max(logit, logits.get(span, -torch.inf))
    texts = _texts(context, logits)
    best = [passage for passages in texts for passage in passages]
    nothing += getattr(config, "no_answer_bias", 0.0)
    if not _trained_with_unanswerable(model):
        nothing = -torch.inf if best else 0.0
    scores = torch.tensor([*(logit for _, logit in best), nothing], dtype=torch.float64)
    temperature = getattr(config, "answer_temperature", 1.0)
    *probabilities, no_answer = (scores / temperature).softmax(dim=0).tolist()
    chances = dict(zip((span for span, _ in best), probabilities, strict=True))
    return Found(
        answers=_apart(
            [
                _passage(context, passages[0][0], sum(chances[span] for span, _ in passages))
                for passages in texts
            ]
        ),
        positions=_positions(context, edges, temperature),
        no_answer=no_answer,
        unanswerable=not best or nothing > best[0][1],
    )


def _passage(context: str, span: Span, score: float) -> Passage:
    return Passage(text=span.of(context), score=score, start=span.start, end=span.end)


def _windows(model: LoadedModel, question: str, context: str, stride: int) -> tuple[Window, ...]:
    asked = len(model.tokenizer(question, verbose=False)["input_ids"])
    if asked > model.checkpoint.token_limit - LEAST_ROOM:
        raise TourError(
            Code.TOO_LONG,
            TEXTS["long_question"].format(
                asked=asked, limit=model.checkpoint.token_limit, model=model.checkpoint.id
            ),
            "question",
        )
    return windows.split(model, context, overlap=stride, question=question)


def _passages(
    window: Window, context: str, words: Words, begins: torch.Tensor, ends: torch.Tensor, longest: int
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
        span = _whole_words(context, words, Span(places[first][0], places[last][1]))
        if span.start < span.end:
            found.append((span, logit))
    return found


def _positions(context: str, edges: Mapping[Span, tuple[float, float]], temperature: float) -> list[Position]:
    if not edges:
        return []
    likely = (torch.tensor(list(edges.values()), dtype=torch.float64) / temperature).softmax(dim=0).tolist()
    found = zip(edges, likely, strict=True)
    return [
        Position(text=span.of(context), start=span.start, end=span.end, begins=begin, ends=end)
        for span, (begin, end) in sorted(found)
    ]


def _whole_words(text: str, words: Words, span: Span) -> Span:
    """Without space at its ends, and with the rest of a word that was begun."""
    start, end = span.start, span.end
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return Span(*words.around(start, end)) if start < end else Span(start, end)


def _trained_with_unanswerable(model: LoadedModel) -> bool:
    """Whether "no answer" was among what the checkpoint was trained on: its config says so, or, on the Hub,
    that it is named after SQuAD 2.
    """
    name = model.checkpoint.id.lower().replace("-", "").replace("_", "")
    return hasattr(model.network.config, "no_answer_bias") or "squad2" in name or "squadv2" in name


def _texts(context: str, logits: Mapping[Span, float]) -> list[list[tuple[Span, float]]]:
    """Passages by their texts, likeliest first in each and among them; as many texts as take part."""
    texts: dict[str, list[tuple[Span, float]]] = {}
    for span, logit in sorted(logits.items(), key=lambda passage: (-passage[1], passage[0])):
        texts.setdefault(span.of(context).casefold(), []).append((span, logit))
    return list(texts.values())[:N_BEST]


def _apart(answers: Sequence[Passage]) -> list[Passage]:
    """Answers that do not overlap a likelier one."""
    kept: list[Passage] = []
    for one in sorted(answers, key=lambda answer: -answer.score):
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return kept


def _notes(rows: Sequence[Window]) -> tuple[str, ...]:
    if len(rows) == 1:
        return ()
    return (TEXTS["windows"].format(windows=len(rows), shared=windows.shared(rows)),)
