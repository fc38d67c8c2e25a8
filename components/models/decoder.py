"""The next token of several texts at once, each with keys and values of its own. Imports torch.

For networks made of Llama's parts (Llama, Mistral, Qwen; Touvron et al. 2023,
https://arxiv.org/abs/2302.13971): RMS norm, rotary positions, grouped key-value heads, gated linear units.
The linear layers, which take most of the time, run once for all texts, of whatever lengths; attention runs
for each. The logits are those of Transformers' own code to within rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch.nn import functional

ARCHITECTURES = frozenset({"llama", "mistral", "qwen2", "qwen3"})
FIXED_ROTATIONS = frozenset({"default", "linear", "llama3"})  # that do not change with the length of a text
GROWS = 256  # tokens by which a cache is enlarged


class Cache:
    """Keys and values of one text [layers, key-value heads, capacity, head width]; `length` are filled."""

    def __init__(self, keys: Iterable[torch.Tensor], values: Iterable[torch.Tensor]) -> None:
        self.keys, self.values = torch.stack(list(keys)), torch.stack(list(values))
        self.length = self.keys.shape[2]

    def make_room(self) -> None:
        """For one token more."""
        if self.length == self.keys.shape[2]:
            self.keys, self.values = (
                functional.pad(tensor, (0, 0, 0, GROWS)) for tensor in (self.keys, self.values)
            )


def known(network: Any) -> bool:
    """Whether it is made of these parts."""
    config = network.config
    return (
        config.model_type in ARCHITECTURES
        and (config.rope_parameters or {}).get("rope_type") in FIXED_ROTATIONS
        and all(kind == "full_attention" for kind in getattr(config, "layer_types", None) or ())
        and not (config.model_type == "mistral" and config.sliding_window)
    )


@torch.inference_mode()
def step(network: Any, caches: Sequence[Cache], ids: Sequence[int]) -> torch.Tensor:
    """Puts a token behind each text; logits [texts, vocabulary] for the tokens that follow.

    `network` is one of which `known` is true.
    """
    body, device = network.model, network.device
    hidden = body.embed_tokens(torch.tensor(ids, device=device))
    positions = torch.tensor([[cache.length for cache in caches]], device=device)
    cos, sin = (part[0, :, None] for part in body.rotary_emb(hidden, positions))
    for cache in caches:
        cache.make_room()
    for index, block in enumerate(body.layers):
        read = block.input_layernorm(hidden)
        hidden = hidden + _attend(block.self_attn, read, caches, index, (cos, sin))
        hidden = hidden + block.mlp(block.post_attention_layernorm(hidden))
    for cache in caches:
        cache.length += 1
    logits: torch.Tensor = network.lm_head(body.norm(hidden))
    return logits


def _attend(
    attention: Any,
    hidden: torch.Tensor,
    caches: Sequence[Cache],
    index: int,
    rotation: tuple[torch.Tensor, torch.Tensor],
) -> torch.Tensor:
    """What a layer's attention adds [texts, width]."""
    texts, width = len(caches), attention.head_dim
    query, key, value = (
        part(hidden).view(texts, -1, width) for part in (attention.q_proj, attention.k_proj, attention.v_proj)
    )
    if hasattr(attention, "q_norm"):
        query, key = attention.q_norm(query), attention.k_norm(key)
    query, key = (_rotated(one, *rotation) for one in (query, key))
    found = []
    for text, cache in enumerate(caches):
        end = cache.length + 1
        keys, values = cache.keys[index], cache.values[index]
        keys[:, end - 1], values[:, end - 1] = key[text], value[text]
        # The queries of a group are rows of one product, so that no key is copied.
        asked = query[text].view(len(keys), -1, width)
        found.append(
            functional.scaled_dot_product_attention(
                asked[None], keys[None, :, :end], values[None, :, :end], scale=attention.scaling
            ).reshape(1, -1)
        )
    added: torch.Tensor = attention.o_proj(torch.cat(found))
    return added


def _rotated(states: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotary positions (Su et al. 2021, https://arxiv.org/abs/2104.09864) of [texts, heads, width]."""
    first, second = states.chunk(2, dim=-1)
    return states * cos + torch.cat((-second, first), dim=-1) * sin
