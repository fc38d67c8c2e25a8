"""A summary of sentences that the text itself has. Imports torch: import this inside `run`."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from components.models.errors import Code, TourError
from components.tasks import windows
from components.tasks.sentences import Span, ended, sentences
from components.tasks.summarization import Chosen, Summary
from components.tasks.task import Output, Progress

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

KEEP, LEAVE = "keep", "leave"
# Sentences that share more of the shorter one's words than this say the same.
ALIKE = 0.7
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, kw_only=True)
class _Row:
    """Tokens for the network, with the sentence that each belongs to."""

    ids: list[int]
    owners: list[int]


@torch.inference_mode()
def summarize(model: LoadedModel, text: str, most: int) -> Iterator[Progress | Output[Summary]]:
    """The `most` best sentences in the text's order, of those that say the same the better one.

    Each token votes by its logit for "keep" less that for "leave"; a sentence's vote is the mean of its
    tokens' (as in extractive summarization with BERT, Liu and Lapata 2019,
    https://arxiv.org/abs/1908.08345), its score the softmax over all sentences. A text that does not fit
    is read in windows of whole sentences. Yields after each batch of them.
    """
    spans = sentences(text)
    if not spans:
        yield _output(model, text, [], text.strip(), 0, ("There is no sentence in the text.",))
        return
    rows = list(_rows(model, [span.of(text) for span in spans]))
    votes = yield from _votes(model, rows, len(spans))
    scores = votes.softmax(dim=0).tolist()
    chosen = _choose(text, spans, scores, most)
    notes = []
    if len(rows) > 1:
        notes.append(
            f"The text is longer than the model reads at once: read in {len(rows):,} windows of whole "
            "sentences."
        )
    if len(spans) <= most:
        notes.append("The text has no more sentences than the summary may have.")
    yield _output(
        model,
        text,
        [
            Chosen(
                text=spans[index].of(text),
                start=spans[index].start,
                end=spans[index].end,
                score=scores[index],
            )
            for index in chosen
        ],
        " ".join(" ".join(spans[index].of(text).split()) for index in chosen),
        sum(len(row.ids) for row in rows),
        tuple(notes),
    )


def _output(
    model: LoadedModel, text: str, chosen: list[Chosen], summary: str, tokens: int, notes: tuple[str, ...]
) -> Output[Summary]:
    return Output(
        result=Summary(summary=summary, sentences=chosen),
        tokens_used=tokens,
        token_limit=model.checkpoint.token_limit,
        notes=notes,
    )


def _rows(model: LoadedModel, texts: Sequence[str]) -> Iterator[_Row]:
    """As many sentences in a window as fit; one that does not fit by itself goes on in the next windows."""
    tokenizer = model.tokenizer
    room = model.checkpoint.token_limit - tokenizer.num_special_tokens_to_add()
    ids: list[int] = []
    owners: list[int] = []

    def row() -> _Row:
        return _Row(ids=[tokenizer.cls_token_id, *ids, tokenizer.sep_token_id], owners=[-1, *owners, -1])

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


def _votes(model: LoadedModel, rows: Sequence[_Row], count: int) -> Generator[Progress, None, torch.Tensor]:
    """The mean of each sentence's tokens' votes, [sentences], in double precision."""
    keep, leave = _labels(model)
    total = torch.zeros(count, dtype=torch.float64)
    tokens = torch.zeros(count, dtype=torch.float64)
    room = windows.BATCH_TOKENS.get(model.device.type, windows.BATCH_TOKENS_ACCELERATED)
    size = max(1, room // max(len(row.ids) for row in rows))
    for start in range(0, len(rows), size):
        batch = rows[start : start + size]
        padded = model.tokenizer.pad(
            [{"input_ids": row.ids} for row in batch], padding_side="right", return_tensors="pt"
        ).to(model.device)
        logits = model.network(**padded).logits
        votes = (logits[..., keep] - logits[..., leave]).double().cpu()
        for row, vote in zip(batch, votes, strict=True):
            mine = [place for place, owner in enumerate(row.owners) if owner >= 0]
            owners = torch.tensor([row.owners[place] for place in mine], dtype=torch.long)
            total.index_add_(0, owners, vote[mine])
            tokens.index_add_(0, owners, torch.ones(len(mine), dtype=torch.float64))
        yield Progress("Weighing sentences", (start + len(batch)) / len(rows))
    return (total / tokens).where(tokens > 0, -torch.inf)


def _labels(model: LoadedModel) -> tuple[int, int]:
    places = {name.lower(): int(index) for index, name in (model.network.config.id2label or {}).items()}
    if not {KEEP, LEAVE} <= places.keys():
        raise TourError(
            Code.UNSUITABLE_MODEL,
            f"{model.checkpoint.id} does not choose sentences: its labels are {', '.join(places)}, not "
            f"{LEAVE} and {KEEP}. Pick another model.",
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
