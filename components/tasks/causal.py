"""What a causal language model is asked for here: text, and how likely text is. Imports torch: import this
inside `run`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from transformers import (
    DynamicCache,
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from components.tasks.task import Progress

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

# Tokens in one forward pass: about half a second of SmolLM2-135M on two cores.
CHUNK = {"cpu": 192}
CHUNK_ACCELERATED = 2048


def chunk_size(model: LoadedModel) -> int:
    return CHUNK.get(model.device.type, CHUNK_ACCELERATED)


@torch.inference_mode()
def prefill(
    model: LoadedModel, ids: Sequence[int], cache: DynamicCache
) -> Generator[Progress, None, torch.Tensor]:
    """Reads `ids` into `cache`, in chunks, and yields after each but the last.

    Returns the logits [1, vocabulary] for the token that follows.
    """
    row = torch.tensor([list(ids)], device=model.device)
    chunks = row.split(chunk_size(model), dim=1)
    read = 0
    for chunk in chunks[:-1]:
        model.network(input_ids=chunk, past_key_values=cache, use_cache=True, logits_to_keep=1)
        read += chunk.shape[1]
        yield Progress("Reading the prompt", read / row.shape[1])
    output = model.network(input_ids=chunks[-1], past_key_values=cache, use_cache=True, logits_to_keep=1)
    logits: torch.Tensor = output.logits[:, -1]
    return logits


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How the next token is drawn; `temperature` 0 takes the likeliest. Meanings as in `generate()`."""

    temperature: float
    top_k: int
    top_p: float
    repetition_penalty: float
    seed: int

    def processors(self) -> LogitsProcessorList:
        """The library's own, in the order in which `generate()` applies them."""
        processors = LogitsProcessorList()
        if self.repetition_penalty != 1.0:
            processors.append(RepetitionPenaltyLogitsProcessor(self.repetition_penalty))
        if self.temperature not in (0.0, 1.0):
            processors.append(TemperatureLogitsWarper(self.temperature))
        if self.temperature and self.top_k:
            processors.append(TopKLogitsWarper(self.top_k))
        if self.temperature and self.top_p < 1.0:
            processors.append(TopPLogitsWarper(self.top_p))
        return processors


@torch.inference_mode()
def generate(
    model: LoadedModel, prompt: Sequence[int], new_tokens: int, sampling: Sampling, stop: frozenset[int]
) -> Iterator[Progress | int]:
    """Token ids one by one, at most `new_tokens`; ends after the first in `stop`, which is yielded too.

    The same tokens as `model.generate()` gives after `torch.manual_seed(seed)`: the random numbers are the
    request's own, so that requests which take turns do not disturb each other.
    """
    processors = sampling.processors()
    dice = torch.Generator(device=model.device).manual_seed(sampling.seed)
    ids = torch.LongTensor([list(prompt)]).to(model.device)
    cache = DynamicCache(config=model.network.config)
    logits = yield from prefill(model, prompt, cache)
    for remaining in reversed(range(new_tokens)):
        scores = processors(ids, logits.to(copy=True, dtype=torch.float32))
        if sampling.temperature:
            token = torch.multinomial(scores.softmax(dim=-1), num_samples=1, generator=dice)
        else:
            token = scores.argmax(dim=-1, keepdim=True)
        yield int(token)
        if not remaining or int(token) in stop:
            return
        ids = torch.cat([ids, token], dim=1)
        logits = model.network(input_ids=token, past_key_values=cache, use_cache=True).logits[:, -1]


def stop_ids(model: LoadedModel) -> frozenset[int]:
    """The tokens that end a text, as `generate()` knows them."""
    end = model.network.generation_config.eos_token_id
    return frozenset() if end is None else frozenset([end] if isinstance(end, int) else end)
