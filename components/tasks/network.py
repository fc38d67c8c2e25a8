"""Rows of tokens through a network, many at a time. Imports torch: import this inside a task's stages."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from components.models.passes import Batch, Waiting, pick
from components.tasks.task import Progress

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

T = TypeVar("T")

# Padded tokens in one pass: about a tenth of a second of MiniLM on two cores.
BATCH_TOKENS = {"cpu": 1024}
BATCH_TOKENS_ACCELERATED = 16384


@dataclass(frozen=True, kw_only=True)
class Row:
    """`row` is what the tokenizer made of a text that fits the network: ids, and what belongs to them."""

    row: Mapping[str, list[int]]

    def __len__(self) -> int:
        return len(self.row["input_ids"])


def forward(
    model: LoadedModel,
    rows: Sequence[Row],
    stage: str,
    read: Callable[[Any, torch.Tensor], Sequence[T]],
) -> Generator[Progress, None, list[T]]:
    """One output per row, in order. `read` takes those of a batch from the network's output and the mask
    [rows, tokens] of what is no padding.

    Rows of similar length go together, padded on the right, whichever requests with the same `read` they
    belong to: whoever has the device runs what waits. Yields before the first batch, so that others can join
    it, and after each.
    """

    def run(batch: Batch[T]) -> Sequence[T]:
        inputs = tensors(model, [one.rows[place].row for one, place in batch])
        with torch.inference_mode():
            return read(model.network(**inputs), inputs["attention_mask"])

    passes = model.passes
    names = frozenset(rows[0].row) if rows else None
    own: Waiting[T] = Waiting((read, names), rows, [len(row) for row in rows])
    passes.enter(own)
    try:
        yield Progress(stage, 0.0)
        done = 0
        while not own.done:
            if len(own.outputs) == done:  # nobody else has run any of it
                passes.run(own, _room(model), run)
            done = len(own.outputs)
            if not own.done:
                yield Progress(stage, done / len(rows))
    finally:
        passes.leave(own)
    return [own.outputs[place] for place in range(len(rows))]


def labels(model: LoadedModel) -> list[str]:
    """The labels that a classifier was trained on, in the order of its logits."""
    return [name for _, name in sorted((model.network.config.id2label or {}).items())]


def logits(output: Any, mask: torch.Tensor) -> Sequence[torch.Tensor]:
    """Each row's logits, fp32 on the CPU: [labels], or [tokens, labels] with those of the padding."""
    found: torch.Tensor = output.logits.float().cpu()
    return found.unbind()


def batches(lengths: Sequence[int], model: LoadedModel) -> Iterator[list[int]]:
    """Indices in batches of similar length, the longest first, so that padding is little."""
    own: Waiting[None] = Waiting(None, lengths, lengths)
    while not own.done:
        places = [place for _, place in pick([own], _room(model))]
        yield places
        own.outputs.update(dict.fromkeys(places))


def _room(model: LoadedModel) -> int:
    """Padded tokens in one pass; a network without padding reads one row at a time."""
    if model.tokenizer.pad_token_id is None or model.network.config.pad_token_id is None:
        return 1
    return BATCH_TOKENS.get(model.device.type, BATCH_TOKENS_ACCELERATED)


def tensors(model: LoadedModel, rows: Sequence[Mapping[str, list[int]]]) -> dict[str, torch.Tensor]:
    """The network's inputs [rows, tokens] on its device, with a mask of what is no padding."""
    whole = [{**row, "attention_mask": [1] * len(row["input_ids"])} for row in rows]
    padding = {"input_ids": model.tokenizer.pad_token_id or 0}
    return {
        name: torch.nn.utils.rnn.pad_sequence(
            [torch.tensor(row[name]) for row in whole], batch_first=True, padding_value=padding.get(name, 0)
        ).to(model.device)
        for name in whole[0]
    }
