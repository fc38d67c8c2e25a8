"""Texts as vectors: the mean of an encoder's last hidden states. Imports torch."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from components.tasks import network
from components.tasks.network import Row
from components.tasks.task import Progress
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)


@dataclass(frozen=True, kw_only=True)
class Window(Row):
    """As much of a text as the network reads at once; `text` is its place among the texts."""

    text: int


@dataclass(frozen=True, kw_only=True)
class Embeddings:
    """`vectors` [texts, width] have length 1, fp32, on the CPU; `lengths` [texts] are what they had before;
    `tokens` and `windows` count per text."""

    vectors: torch.Tensor
    lengths: torch.Tensor
    tokens: tuple[int, ...]
    windows: tuple[int, ...]


def split(model: LoadedModel, texts: Sequence[str]) -> tuple[Window, ...]:
    """Every text in windows of the checkpoint's token limit, in order."""
    encoded = model.tokenizer(
        list(texts),
        truncation=True,
        max_length=model.checkpoint.token_limit,
        return_overflowing_tokens=True,  # the windows after a text's first
    )
    rows = zip(encoded["input_ids"], encoded["overflow_to_sample_mapping"], strict=True)
    return tuple(Window(row={"input_ids": ids}, text=text) for ids, text in rows)


def forward(model: LoadedModel, rows: Sequence[Row]) -> Generator[Progress, None, list[torch.Tensor]]:
    """The sum [width] of the last hidden states of each row's tokens, fp32 on the CPU."""
    return network.forward(model, rows, "Embedding texts", _sums)


def _sums(output: Any, mask: torch.Tensor) -> Sequence[torch.Tensor]:
    hidden = output.last_hidden_state
    sums: torch.Tensor = (hidden * mask[:, :, None]).sum(dim=1, dtype=torch.float32)
    return sums.cpu().unbind()


def pool(rows: Sequence[Window], sums: Sequence[torch.Tensor], texts: int) -> Embeddings:
    """Mean of a text's last hidden states over the tokens of all its windows, and that scaled to length 1.

    This is what sentence-transformers' all-MiniLM-L6-v2 was trained with (Reimers and Gurevych 2019,
    https://arxiv.org/abs/1908.10084).
    """
    owners = torch.tensor([row.text for row in rows])
    lengths = torch.tensor([len(row) for row in rows])
    stacked = torch.stack(list(sums))
    totals = torch.zeros(texts, stacked.shape[1]).index_add_(0, owners, stacked)
    tokens = torch.zeros(texts, dtype=torch.long).index_add_(0, owners, lengths)
    means = totals / tokens[:, None]
    return Embeddings(
        vectors=torch.nn.functional.normalize(means, dim=1),
        lengths=means.norm(dim=1),
        tokens=tuple(tokens.tolist()),
        windows=tuple(torch.bincount(owners, minlength=texts).tolist()),
    )


def embed(model: LoadedModel, texts: Sequence[str]) -> Generator[Progress, None, Embeddings]:
    """The three together."""
    rows = split(model, texts)
    sums = yield from forward(model, rows)
    return pool(rows, sums, len(texts))


def window_notes(embeddings: Embeddings, token_limit: int) -> tuple[str, ...]:
    """What to tell the visitor when texts did not fit one window."""
    longer = sum(count > 1 for count in embeddings.windows)
    if not longer:
        return ()
    return (TEXTS["long_text" if longer == 1 else "long_texts"].format(count=longer, limit=token_limit),)
