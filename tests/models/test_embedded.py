"""The embedded checkpoints' real weights, fetched once into this host's cache (or `TOUR_CACHE`)."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from components.models.catalog import load_catalog
from components.models.checkpoint import Checkpoint, Head, WheelSource
from components.models.registry import Registry
from components.models.sources.snippet import loading_lines
from tests.tasks.test_snippets import run

EMBEDDED = [checkpoint for checkpoint in load_catalog() if checkpoint.embedded]
TEXTS = [
    "Paris is the capital of France.",
    "  Two  spaces, 3 digits: 123, and ümläuts — 東京 🙂\n",
    "<|im_start|>user\nHi<|im_end|>\n",
]


@pytest.mark.parametrize("checkpoint", EMBEDDED, ids=lambda checkpoint: checkpoint.id)
def test_loads_and_is_what_the_catalog_says(checkpoint: Checkpoint, registry: Registry) -> None:
    with registry.lease(checkpoint.id) as model:
        own = {p.data_ptr(): p for p in model.network.parameters()}
        if checkpoint.body:
            with registry.lease(checkpoint.body.id) as body:
                for parameter in body.network.parameters():
                    own.pop(parameter.data_ptr(), None)
        assert sum(p.numel() for p in own.values()) == checkpoint.parameters
        assert checkpoint.token_limit <= model.network.config.max_position_embeddings
        assert model.tokenizer.model_max_length == checkpoint.token_limit
        assert not hasattr(model.network.config, "quantization_config")
        assert model.network.config._attn_implementation == "sdpa"
        if checkpoint.head is Head.CAUSAL_LM:
            assert model.tokenizer.chat_template
        encoded = model.tokenizer(TEXTS[0], return_tensors="pt")
        if model.network.config.is_encoder_decoder:
            encoded["decoder_input_ids"] = encoded["input_ids"]
        with torch.inference_mode():
            assert torch.isfinite(model.network(**encoded)[0]).all()


@pytest.mark.parametrize(
    "checkpoint",
    [
        checkpoint
        for checkpoint in EMBEDDED
        if isinstance(checkpoint.source, WheelSource) and checkpoint.source.file.endswith(".gguf")
    ],
    ids=lambda checkpoint: checkpoint.id,
)
def test_converted_weights_answer_as_the_gguf_does(
    checkpoint: Checkpoint, registry: Registry, reader: Path
) -> None:
    """A reader's snippet, run unchanged, gives the same tokens and the same logits."""
    code = [
        *loading_lines(checkpoint),
        "import torch",
        "from transformers import AutoModelForCausalLM, AutoTokenizer",
        "tokenizer = AutoTokenizer.from_pretrained(MODEL, gguf_file=GGUF)",
        "network = AutoModelForCausalLM.from_pretrained(MODEL, gguf_file=GGUF).eval()",
        f"inputs = [tokenizer(text, return_tensors='pt').input_ids for text in {TEXTS!r}]",
        "with torch.inference_mode():",
        "    logits = [network(ids).logits for ids in inputs]",
        "torch.save((inputs, logits), 'answers.pt')",
    ]
    run("\n".join(code), reader)
    inputs, logits = torch.load(reader / "answers.pt")
    with registry.lease(checkpoint.id) as model, torch.inference_mode():
        for text, ids, expected in zip(TEXTS, inputs, logits, strict=True):
            assert torch.equal(model.tokenizer(text, return_tensors="pt").input_ids, ids)
            assert model.tokenizer.decode(ids[0]) == text
            assert torch.equal(model.network(ids).logits, expected)
