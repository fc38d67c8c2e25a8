"""The next token of several texts at once, against the library's forward pass of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import (
    DynamicCache,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from components.models.decoder import GROWS, Cache, known, step

SIZES: dict[str, Any] = {
    "vocab_size": 50,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}
NETWORKS: dict[str, Callable[[], PreTrainedModel]] = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SIZES, attention_bias=True, mlp_bias=True)),
    "llama, scaled": lambda: LlamaForCausalLM(
        LlamaConfig(**SIZES, rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 10_000.0})
    ),
    "mistral": lambda: MistralForCausalLM(MistralConfig(**SIZES, sliding_window=None, head_dim=16)),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SIZES)),
    "qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**SIZES, head_dim=16)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_logits_are_the_librarys(name: str) -> None:
    torch.manual_seed(0)
    network: Any = NETWORKS[name]().eval()
    assert known(network)
    texts = [torch.randint(50, (1, length)) for length in (1, 7, GROWS - 1)]
    caches = []
    for text in texts:
        read: Any = DynamicCache(config=network.config)
        with torch.inference_mode():
            network(input_ids=text, past_key_values=read, use_cache=True)
        caches.append(Cache([one.keys[0] for one in read.layers], [one.values[0] for one in read.layers]))
    for token in (3, 41, 3):
        logits = step(network, caches, [token, token + 1, token + 2])
        texts = [
            torch.cat([text, torch.tensor([[token + place]])], dim=1) for place, text in enumerate(texts)
        ]
        with torch.inference_mode():
            expected = torch.cat([network(input_ids=text).logits[:, -1] for text in texts])
        torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-5)
    assert [cache.length for cache in caches] == [text.shape[1] for text in texts]


@pytest.mark.parametrize(
    "network",
    [
        lambda: MistralForCausalLM(MistralConfig(**SIZES, sliding_window=8)),
        lambda: Qwen2ForCausalLM(
            Qwen2Config(**SIZES, use_sliding_window=True, sliding_window=8, max_window_layers=0)
        ),
        lambda: LlamaForCausalLM(
            LlamaConfig(
                **SIZES, rope_parameters={"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10_000.0}
            )
        ),
    ],
    ids=["sliding window", "layers with a window", "rotations that depend on the length"],
)
def test_networks_of_other_parts_are_left_to_the_library(network: Callable[[], PreTrainedModel]) -> None:
    assert not known(network())
