"""The formulas give what networks have, for every checkpoint of the catalog and for sizes that none has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from components.insight import scaling
from components.insight.scaling import Sizes
from components.models.catalog import load_catalog
from components.models.checkpoint import Checkpoint, LoadedModel

CATALOG = list(load_catalog())
EMBEDDED = [one.id for one in CATALOG if one.embedded]
SMOLLM, MINILM, TRANSLATOR = "SmolLM2-135M-Instruct", "all-MiniLM-L6-v2", "translator-en-de"


@pytest.mark.parametrize("checkpoint", CATALOG, ids=lambda one: one.id)
def test_the_catalogs_counts_are_met(checkpoint: Checkpoint) -> None:
    sizes = scaling.checkpoints()[checkpoint.id]
    assert scaling.count(sizes).total == pytest.approx(checkpoint.whole_parameters, rel=0.01)


def test_no_checkpoint_is_told_of_that_the_catalog_lacks() -> None:
    assert set(scaling.checkpoints()) <= {one.id for one in CATALOG}


@pytest.mark.parametrize("id", EMBEDDED)
def test_the_networks_own_counts_are_met(id: str, lease: Callable[[str], LoadedModel]) -> None:
    """Part by part, by the names that the library gives to its modules."""
    network = lease(id).network
    sizes = scaling.checkpoints()[id]
    found = scaling.count(sizes)
    own = {name: one.numel() for name, one in network.named_parameters()}
    assert found.total == pytest.approx(sum(own.values()), rel=0.01)

    def total(*names: str, without: str = "lora_") -> int:
        return sum(
            size for name, size in own.items() if any(one in name for one in names) and without not in name
        )

    assert found.embeddings == total("word_embeddings", "embed_tokens", "model.shared")
    assert found.positions == total("position_embeddings", "embed_positions")
    attention = total("attention.", "_attn.") - total("attention.output.LayerNorm")
    assert found.attention == attention
    feed_forward = total("intermediate.", "mlp.", "fc1", "fc2") + total(".output.dense")
    assert found.feed_forward == feed_forward - total("attention.output.dense")


def _bert(s: Sizes) -> Any:
    return transformers.BertModel(
        transformers.BertConfig(
            vocab_size=s.vocabulary,
            hidden_size=s.width,
            num_hidden_layers=s.layers,
            num_attention_heads=s.heads,
            intermediate_size=s.inner,
            max_position_embeddings=s.positions,
            type_vocab_size=s.types,
        )
    )


def _distilbert(s: Sizes) -> Any:
    return transformers.DistilBertModel(
        transformers.DistilBertConfig(
            vocab_size=s.vocabulary,
            dim=s.width,
            n_layers=s.layers,
            n_heads=s.heads,
            hidden_dim=s.inner,
            max_position_embeddings=s.positions,
        )
    )


def _modernbert(s: Sizes) -> Any:
    config: Any = transformers.ModernBertConfig
    return transformers.ModernBertForMaskedLM(
        config(
            vocab_size=s.vocabulary,
            hidden_size=s.width,
            num_hidden_layers=s.layers,
            num_attention_heads=s.heads,
            intermediate_size=s.inner,
            **dict.fromkeys(("pad_token_id", "cls_token_id", "sep_token_id", "bos_token_id"), 0),
        )
    )


def _gpt2(s: Sizes) -> Any:
    return transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            vocab_size=s.vocabulary,
            n_embd=s.width,
            n_layer=s.layers,
            n_head=s.heads,
            n_inner=s.inner,
            n_positions=s.positions,
            bos_token_id=0,
            eos_token_id=0,
        )
    )


def _gated(network: Any, config: Any) -> Callable[[Sizes], Any]:
    def build(s: Sizes) -> Any:
        return network(
            config(
                vocab_size=s.vocabulary,
                hidden_size=s.width,
                num_hidden_layers=s.layers,
                num_attention_heads=s.heads,
                num_key_value_heads=s.heads // s.shared_by,
                head_dim=s.size,
                intermediate_size=s.inner,
                tie_word_embeddings=s.tied,
                pad_token_id=0,
                bos_token_id=0,
                eos_token_id=0,
            )
        )

    return build


def _translator(network: Any, config: Any) -> Callable[[Sizes], Any]:
    def build(s: Sizes) -> Any:
        return network(
            config(
                vocab_size=s.vocabulary,
                d_model=s.width,
                encoder_layers=s.layers,
                decoder_layers=s.decoder_layers,
                encoder_attention_heads=s.heads,
                decoder_attention_heads=s.heads,
                encoder_ffn_dim=s.inner,
                decoder_ffn_dim=s.inner,
                max_position_embeddings=s.positions or 1024,
                **dict.fromkeys(
                    ("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id"), 0
                ),
            )
        )

    return build


_T = transformers
BASE = {"vocabulary": 211, "width": 48, "layers": 3, "heads": 6, "inner": 80}
FAMILIES: dict[str, tuple[Callable[[Sizes], Any], dict[str, Any]]] = {
    "bert": (_bert, {"positions": 70, "types": 2, "extra": "pooler"}),
    "distilbert": (_distilbert, {"positions": 70}),
    "modernbert": (_modernbert, {"extra": "masked"}),
    "gpt2": (_gpt2, {"positions": 70}),
    "llama": (_gated(_T.LlamaForCausalLM, _T.LlamaConfig), {"shared_by": 3}),
    "qwen3": (_gated(_T.Qwen3ForCausalLM, _T.Qwen3Config), {"shared_by": 2, "head_size": 24, "tied": False}),
    "bart": (
        _translator(_T.BartForConditionalGeneration, _T.BartConfig),
        {"positions": 72, "decoder_layers": 2},  # two more rows than positions
    ),
    "marian": (_translator(_T.MarianMTModel, _T.MarianConfig), {"positions": 70, "decoder_layers": 2}),
    "m2m100": (_translator(_T.M2M100ForConditionalGeneration, _T.M2M100Config), {"decoder_layers": 2}),
}


def test_every_family_is_tested() -> None:
    assert set(FAMILIES) == set(scaling.families())


@pytest.mark.parametrize("family", FAMILIES)
def test_the_formula_is_that_of_the_librarys_network(family: str) -> None:
    build, more = FAMILIES[family]
    sizes = Sizes(family=family, **{**BASE, **more})
    asked = replace(sizes, positions=sizes.positions - 2) if family == "bart" else sizes
    with torch.device("meta"):
        network = build(asked)
    own = sum(one.numel() for one in network.parameters())
    assert scaling.count(sizes).total == own


@pytest.mark.parametrize("id", [SMOLLM, TRANSLATOR])
def test_the_cache_is_as_large_as_the_librarys(id: str, lease: Callable[[str], LoadedModel]) -> None:
    model = lease(id)
    sizes = scaling.checkpoints()[id]
    inputs = dict(model.tokenizer("The capital of France is", return_tensors="pt"))
    source = inputs["input_ids"].shape[1]
    written = source
    if id == TRANSLATOR:
        written = 3
        inputs["decoder_input_ids"] = inputs["input_ids"][:, :written]
    with torch.inference_mode():
        kept = model.network(**inputs, use_cache=True).past_key_values
    caches = [kept] if id == SMOLLM else [kept.self_attention_cache, kept.cross_attention_cache]
    nbytes = [sum(layer.keys.nbytes + layer.values.nbytes for layer in one.layers) for one in caches]
    assert nbytes[0] == scaling.cache_bytes(sizes, "fp32") * written
    if id == TRANSLATOR:
        assert nbytes[1] == scaling.source_bytes(sizes, "fp32") * source


def test_heads_that_share_keys_and_values_need_less_cache() -> None:
    own = scaling.checkpoints()[SMOLLM]
    assert scaling.cache_bytes(own) == 2 * 30 * 3 * 64 * 2
    assert scaling.cache_bytes(replace(own, shared_by=1)) == 3 * scaling.cache_bytes(own)
    assert scaling.cache_bytes(scaling.checkpoints()[MINILM]) == 0


def test_a_well_known_network_of_seven_billions() -> None:
    """Llama 2 7B: 6,738,415,616 parameters, half a megabyte of cache per token, 13.5 GB in half precision."""
    llama = Sizes(
        family="llama", vocabulary=32_000, width=4096, layers=32, heads=32, inner=11_008, tied=False
    )
    assert scaling.count(llama).total == 6_738_415_616
    assert scaling.cache_bytes(llama) == 524_288
    assert scaling.weights_bytes(llama, "bf16 / fp16") == 13_476_831_232
    assert scaling.seconds_per_token(llama, "bf16 / fp16", 0, 100e9) == pytest.approx(0.132, abs=0.001)
    longer = scaling.read_per_token(llama, "bf16 / fp16", 1000) - scaling.read_per_token(
        llama, "bf16 / fp16", 0
    )
    assert longer == 1000 * 524_288


def test_memory_follows_from_precision() -> None:
    sizes = scaling.checkpoints()[SMOLLM]
    assert [scaling.weights_bytes(sizes, one) for one in ("fp32", "bf16 / fp16", "int8")] == [
        538_060_032,
        269_030_016,
        134_515_008,
    ]


def test_what_a_token_costs_to_compute_is_what_the_library_counts(
    lease: Callable[[str], LoadedModel],
) -> None:
    from torch.utils.flop_counter import FlopCounterMode

    model = lease(SMOLLM)
    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), counter:
        model.network(input_ids=torch.tensor([[5]]), use_cache=False)
    counted = counter.get_total_flops() / 2
    assert scaling.operations(scaling.checkpoints()[SMOLLM]) == pytest.approx(counted, rel=0.01)


@pytest.mark.parametrize("id", [SMOLLM, MINILM, TRANSLATOR, "Qwen/Qwen3-0.6B"])
def test_a_size_is_found_that_makes_seven_billions(id: str) -> None:
    own = scaling.checkpoints()[id]

    def deeper(sizes: Sizes, factor: float) -> Sizes:
        return scaling.scaled(sizes, "layers", factor)

    for grow in (scaling.both, deeper):
        found = scaling.reaching(own, 7e9, grow)
        assert found is not None
        assert scaling.count(found).total == pytest.approx(7e9, rel=0.1)
        assert found.size == own.size


def test_what_cannot_be_reached_is_not_claimed() -> None:
    """Without layers or width the vocabulary alone is more."""
    own = scaling.checkpoints()[MINILM]
    assert scaling.reaching(own, 1e6, lambda s, f: scaling.scaled(s, "layers", f)) is None


@given(factor=st.floats(0.2, 30))
def test_more_of_anything_is_more_parameters(factor: float) -> None:
    own = scaling.checkpoints()[SMOLLM]
    total = scaling.count(own).total
    for dial in ("width", "layers", "vocabulary", "inner"):
        changed = scaling.scaled(own, dial, factor)
        assert (scaling.count(changed).total >= total) == (factor >= 1) or changed == own
