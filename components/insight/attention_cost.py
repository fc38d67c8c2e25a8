"""What attention costs by the length of a text, measured on the device of a model.

Imports torch: import this lazily.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter

import torch

from components.models.checkpoint import LoadedModel

REPEATS = 3


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one layer for a text of `tokens` tokens: the time, the best of `REPEATS`, and the size of all
    weights, [heads, tokens, tokens]."""

    tokens: int
    seconds: float
    nbytes: int


def costs(model: LoadedModel, lengths: Sequence[int]) -> Iterator[Cost]:
    """Scaled dot-product attention over random vectors with the sizes of a layer of `model`, one head after
    the other, so that only a single head's weights are in memory at a time."""
    for length in lengths:
        yield min((_cost(model, length) for _ in range(REPEATS)), key=lambda cost: cost.seconds)


@torch.inference_mode()
def _cost(model: LoadedModel, length: int) -> Cost:
    config = model.network.config
    heads: int = config.num_attention_heads
    size: int = config.hidden_size // heads
    shape = (heads, length, size)
    queries, keys, values = (torch.randn(shape, device=model.device) for _ in range(3))
    _wait(model)
    begun = perf_counter()
    nbytes = 0
    for query, key, value in zip(queries, keys, values, strict=True):
        weights = (query @ key.T / size**0.5).softmax(dim=-1)
        weights @ value
        nbytes += weights.nbytes
    _wait(model)
    return Cost(tokens=length, seconds=perf_counter() - begun, nbytes=nbytes)


def _wait(model: LoadedModel) -> None:
    """Until the device has done all that it was asked for."""
    if model.device.type == "cuda":
        torch.cuda.synchronize(model.device)
