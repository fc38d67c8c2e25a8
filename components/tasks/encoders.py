"""Sentence embeddings from an encoder. Imports torch: import this inside `run`."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from components.tasks.task import Progress

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

# Padded tokens in one batch: about a tenth of a second of MiniLM on two cores.
BATCH_TOKENS = {"cpu": 1024}
BATCH_TOKENS_ACCELERATED = 16384


@dataclass(frozen=True, kw_only=True)
class Embeddings:
    """`vectors` [texts, width] have length 1, fp32, on the CPU; `lengths` [texts] are what they had before;
    `tokens` and `windows` count per text."""

    vectors: torch.Tensor
    lengths: torch.Tensor
    tokens: tuple[int, ...]
    windows: tuple[int, ...]


@torch.inference_mode()
def embed(model: LoadedModel, texts: Sequence[str]) -> Generator[Progress, None, Embeddings]:
    """Mean of a text's last hidden states, and that scaled to length 1.

    This is what sentence-transformers' all-MiniLM-L6-v2 was trained with (Reimers and Gurevych 2019,
    https://arxiv.org/abs/1908.10084). A text longer than the checkpoint's token limit is split into
    windows; its vector is the mean over the tokens of all its windows. Yields after each batch.
    """
    encoded = model.tokenizer(
        list(texts),
        truncation=True,
        max_length=model.checkpoint.token_limit,
        return_overflowing_tokens=True,  # the windows after a text's first
    )
    rows, owners = encoded["input_ids"], encoded["overflow_to_sample_mapping"]
    totals = torch.zeros(len(texts), model.network.config.hidden_size, device=model.device)
    done = 0
    for batch in batches([len(row) for row in rows], model.device):
        ids = [torch.tensor(rows[index]) for index in batch]
        input_ids = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True).to(model.device)
        lengths = torch.tensor([len(row) for row in ids], device=model.device)
        mask = torch.arange(input_ids.shape[1], device=model.device) < lengths[:, None]
        hidden = model.network(input_ids=input_ids, attention_mask=mask.long()).last_hidden_state
        sums = (hidden * mask[:, :, None]).sum(dim=1, dtype=torch.float32)
        totals.index_add_(0, torch.tensor([owners[index] for index in batch], device=model.device), sums)
        done += len(batch)
        yield Progress("Embedding texts", done / len(rows))
    tokens, counts = [0] * len(texts), [0] * len(texts)
    for owner, row in zip(owners, rows, strict=True):
        tokens[owner] += len(row)
        counts[owner] += 1
    means = totals.cpu() / torch.tensor(tokens)[:, None]
    return Embeddings(
        vectors=torch.nn.functional.normalize(means, dim=1),
        lengths=means.norm(dim=1),
        tokens=tuple(tokens),
        windows=tuple(counts),
    )


def window_notes(embeddings: Embeddings, token_limit: int) -> tuple[str, ...]:
    """What to tell the visitor when texts did not fit one window."""
    longer = sum(count > 1 for count in embeddings.windows)
    if not longer:
        return ()
    texts = "1 text is" if longer == 1 else f"{longer} texts are"
    return (f"{texts} longer than {token_limit} tokens: split into windows, whose embeddings are averaged.",)


def batches(lengths: Sequence[int], device: torch.device) -> Iterator[list[int]]:
    """Indices in batches of similar length, the longest first, so that padding is little."""
    room = BATCH_TOKENS.get(device.type, BATCH_TOKENS_ACCELERATED)
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        if batch and (len(batch) + 1) * lengths[batch[0]] > room:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
