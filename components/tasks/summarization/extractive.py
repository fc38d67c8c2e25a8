"""A summary of sentences that the text itself has. Imports torch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from components.models.errors import Code, TourError
from components.tasks import network
from components.tasks.network import Row
from components.tasks.sentences import Span, ended, sentences
from components.tasks.stages import Forward
from components.tasks.summarization import Chosen, Inputs, Options, Summary
from components.tasks.task import Output
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

KEEP, LEAVE = "keep", "leave"
# Sentences that share more of the shorter one's words than this say the same.
ALIKE = 0.7
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, kw_only=True)
class Window(Row):
    """As many sentences as the network reads at once; `owners` is the sentence of each token, -1 for none."""

    owners: list[int]


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Windows of whole sentences, and where the sentences stand in the text."""

    rows: tuple[Window, ...]
    spans: Sequence[Span]


def preprocess(model: LoadedModel, inputs: Inputs, options: Options) -> Prepared:
    keep_and_leave(model)
    spans = sentences(inputs.text)
    return Prepared(rows=tuple(_rows(model, [span.of(inputs.text) for span in spans])), spans=spans)


def forward(model: LoadedModel, rows: Sequence[Window]) -> Forward[torch.Tensor]:
    """Logits [tokens, labels] of each window."""
    return network.forward(model, rows, "Weighing sentences", network.logits)


def postprocess(
    model: LoadedModel,
    inputs: Inputs,
    options: Options,
    prepared: Prepared,
    outputs: Sequence[torch.Tensor],
) -> Output[Summary]:
    """The best sentences in the text's order, of those that say the same the better one.

    Each token votes by its logit for "keep" less that for "leave"; a sentence's vote is the mean of its
    tokens' (as in extractive summarization with BERT, Liu and Lapata 2019,
    https://arxiv.org/abs/1908.08345), its score the softmax over all sentences.
    """
    text, spans, rows, most = inputs.text, prepared.spans, prepared.rows, options.max_sentences
    if not rows:
        return _output(model, [], text.strip(), 0, ["There is no sentence in the text."])
    scores = votes(model, prepared, outputs).softmax(dim=0).tolist()
    chosen = [
        Chosen(text=span.of(text), start=span.start, end=span.end, score=scores[index])
        for index in _choose(text, spans, scores, most)
        for span in [spans[index]]
    ]
    notes = []
    if len(rows) > 1:
        notes.append(TEXTS["windows"].format(windows=len(rows)))
    if len(spans) <= most:
        notes.append("The text has no more sentences than the summary may have.")
    summary = " ".join(" ".join(one.text.split()) for one in chosen)
    return _output(model, chosen, summary, sum(map(len, rows)), notes)


def _output(
    model: LoadedModel, chosen: list[Chosen], summary: str, tokens: int, notes: Sequence[str]
) -> Output[Summary]:
    return Output(
        result=Summary(summary=summary, sentences=chosen),
        tokens_used=tokens,
        token_limit=model.checkpoint.token_limit,
        notes=tuple(notes),
    )


def _rows(model: LoadedModel, texts: Sequence[str]) -> Iterator[Window]:
    """As many sentences in a window as fit; one that does not fit by itself goes on in the next windows."""
    if not texts:
        return
    tokenizer = model.tokenizer
    room = model.checkpoint.token_limit - tokenizer.num_special_tokens_to_add()
    ids: list[int] = []
    owners: list[int] = []

    def row() -> Window:
        whole = [tokenizer.cls_token_id, *ids, tokenizer.sep_token_id]
        return Window(row={"input_ids": whole}, owners=[-1, *owners, -1])

    for index, tokens in enumerate(
        tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]
    ):
        if ids and len(ids) + len(tokens) > room:
            yield row()
            ids, owners = [], []
        for start in range(0, len(tokens), room):
            part = tokens[start : start + room]
            if ids and len(ids) + len(part) > room:
                yield row()
                ids, owners = [], []
            ids += part
            owners += [index] * len(part)
    if ids:
        yield row()


def votes(model: LoadedModel, prepared: Prepared, outputs: Sequence[torch.Tensor]) -> torch.Tensor:
    """The mean of each sentence's tokens' votes, [sentences], in double precision."""
    keep, leave = keep_and_leave(model)
    total = torch.zeros(len(prepared.spans), dtype=torch.float64)
    tokens = torch.zeros(len(prepared.spans), dtype=torch.float64)
    for row, logits in zip(prepared.rows, outputs, strict=True):
        mine = [place for place, owner in enumerate(row.owners) if owner >= 0]
        owners = torch.tensor([row.owners[place] for place in mine], dtype=torch.long)
        total.index_add_(0, owners, (logits[mine, keep] - logits[mine, leave]).double())
        tokens.index_add_(0, owners, torch.ones(len(mine), dtype=torch.float64))
    return (total / tokens).where(tokens > 0, -torch.inf)


def keep_and_leave(model: LoadedModel) -> tuple[int, int]:
    """The two labels of a checkpoint that chooses sentences; raises `TourError` for another."""
    places = {name.lower(): int(index) for index, name in (model.network.config.id2label or {}).items()}
    if not {KEEP, LEAVE} <= places.keys():
        raise TourError(
            Code.UNSUITABLE_MODEL,
            TEXTS["other_labels"].format(
                model=model.checkpoint.id, labels=", ".join(places), leave=LEAVE, keep=KEEP
            ),
            "model",
        )
    return places[KEEP], places[LEAVE]


def _choose(text: str, spans: Sequence[Span], scores: Sequence[float], most: int) -> list[int]:
    """Indices of the best sentences, in order; titles and signatures only of a text that has no others."""
    chosen: list[int] = []
    whole = [index for index, span in enumerate(spans) if ended(span.of(text))] or range(len(spans))
    words = [set(_WORD.findall(span.of(text).casefold())) for span in spans]
    for index in sorted(whole, key=lambda index: -scores[index]):
        if len(chosen) == most:
            break
        if not any(_alike(words[index], words[other]) for other in chosen):
            chosen.append(index)
    return sorted(chosen)


def _alike(one: set[str], other: set[str]) -> bool:
    return len(one & other) > ALIKE * min(len(one), len(other))
