"""Pipelines, tensors, merges and transplants say what the libraries do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from transformers import AutoTokenizer

from components.insight import families, merges, steps, tensors
from components.insight.transplant import reading
from components.models.checkpoint import LoadedModel
from components.models.registry import Registry
from components.models.tokenizers import Tokenizers
from components.training import tokenizers as training

MINILM, SMOLLM, MARIAN = "all-MiniLM-L6-v2", "SmolLM2-135M-Instruct", "translator-en-de"
CORPUS = "low lower lowest new newer newest wide wider widest. " * 40


@pytest.mark.parametrize(("id", "comes_back"), [(MINILM, False), (SMOLLM, True), (MARIAN, True)], ids=str)
def test_a_pipeline_ends_where_the_tokenizer_does(tokenizers: Tokenizers, id: str, comes_back: bool) -> None:
    text = "The Houses were not far away."
    found = steps.pipeline(tokenizers.get(id), text)
    assert found.ids == [token.id for token in tokenizers.get(id).encode(text)]
    assert (found.decoded == text) is comes_back
    assert bool(found.changes) is not comes_back


def test_what_decoding_changes_is_told(tokenizers: Tokenizers) -> None:
    assert steps.pipeline(tokenizers.get(MINILM), "Café").changes == [("C", "c"), ("é", "e")]


@pytest.mark.parametrize("padding", ["left", "right"])
@pytest.mark.parametrize("truncation", ["left", "right"])
@pytest.mark.parametrize("id", [MINILM, MARIAN, "tiny-encoder"])
def test_a_batch_is_the_librarys(
    tokenizers: Tokenizers, registry: Registry, id: str, padding: str, truncation: str
) -> None:
    texts = ["one two three four five six seven eight", "one", "two three"]
    folder = registry.fetch_tokenizer(registry.catalog[id], lambda share, words: None)
    library = AutoTokenizer.from_pretrained(folder, padding_side=padding, truncation_side=truncation)
    expected = library(texts, padding=True, truncation=True, max_length=6)
    found = tensors.batch(
        tokenizers.get(id),
        texts,
        longest=6,
        padding=padding,  # type: ignore[arg-type]
        truncation=truncation,  # type: ignore[arg-type]
    )
    assert found.ids == expected["input_ids"]
    assert found.mask == expected["attention_mask"]
    assert sum(found.left_out) > 0


def test_one_hot_vectors_have_one_place(tokenizers: Tokenizers) -> None:
    found = tensors.one_hot(tokenizers.get(MINILM), "the cat and the hat", 10)
    assert [sum(row) for row in found.vectors] == [1] * 5
    assert found.vectors[0] == found.vectors[3]
    assert [piece for _, piece in found.vocabulary] == ["the", "and", "cat", "hat"]


def test_only_subwords_know_what_to_say_of_a_new_word(tokenizers: Tokenizers) -> None:
    found = families.families("a cat sat", "zebra", {MINILM: tokenizers.get(MINILM)})
    assert [(each.kind, families.UNKNOWN in each.unseen) for each in found] == [
        ("Characters", True),
        ("Words", True),
        ("Words", True),
        ("Subwords", False),
    ]
    assert found[0].vocabulary_size == len({*"a cat sat"}) + 1


def test_merges_lead_to_the_librarys_tokens() -> None:
    tokenizer = training.learn(CORPUS, "byte-level BPE", 300)
    ranks = {pair: rank for rank, pair in enumerate(tokenizer.growth().merges)}
    for word in (" newest", " lowest", "wider", " unknown"):
        [spelled] = tokenizer.pre_tokens(word)
        found = merges.merging(spelled, ranks)
        last = found[-1].parts if found else list(spelled)
        assert last == [token.piece for token in tokenizer.encode(word, special=False)]


def test_a_model_reads_other_words_with_another_tokenizer(
    tokenizers: Tokenizers, lease: Callable[[str], LoadedModel]
) -> None:
    model, own = lease("sentiment"), tokenizers.get("sentiment")
    text = "The staff were kind, and the view was wonderful."
    as_trained = reading(model, own, own, text)
    assert as_trained.read_as == as_trained.tokens
    assert as_trained.labels[0][0] == "positive"
    assert as_trained.labels[0][1] > 0.95
    transplanted = reading(model, own, tokenizers.get(SMOLLM), text)
    assert transplanted.read_as != transplanted.tokens
    assert transplanted.labels[0][1] < 0.95


def test_ids_beyond_the_vocabulary_become_unknown(
    tokenizers: Tokenizers, lease: Callable[[str], LoadedModel]
) -> None:
    model, own = lease("tiny-classifier"), tokenizers.get("tiny-classifier")
    found = reading(model, own, tokenizers.get(MINILM), "wonderful kitchens")
    assert found.strange > 0
    assert "[UNK]" in found.read_as
