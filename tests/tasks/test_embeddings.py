from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from components.models.checkpoint import LoadedModel
from components.models.errors import Code, TourError
from components.tasks import embeddings as vectors
from components.tasks import network
from components.tasks.runner import Runner
from components.tasks.sentence_similarity import MATRIX_TEXTS, TASK
from tests.tasks.suite import finish

Lease = Callable[[str], LoadedModel]
MODELS = ["all-MiniLM-L6-v2", "tiny-encoder"]
TEXTS = [
    "The chef cooked.",
    "Rain.",
    "A much longer sentence about bread, an oven and the hour of baking.",
    "Ü 🙂",
]


def plain(model: LoadedModel, text: str) -> torch.Tensor:
    """One text at a time, no padding: the mean of all hidden states."""
    encoded = model.tokenizer(text, return_tensors="pt")
    with torch.inference_mode():
        return model.network(**encoded).last_hidden_state[0].mean(dim=0)


@pytest.mark.parametrize("id", MODELS)
@pytest.mark.parametrize("room", [1024, 8], ids=["one batch", "many batches"])
def test_equal_to_a_plain_forward_pass(
    id: str, room: int, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(network.BATCH_TOKENS, "cpu", room)
    model = lease(id)
    embeddings = finish(vectors.embed(model, TEXTS))
    expected = torch.stack([plain(model, text) for text in TEXTS])
    unit = torch.nn.functional.normalize(expected, dim=1)
    torch.testing.assert_close(embeddings.vectors, unit, atol=1e-5, rtol=0)
    torch.testing.assert_close(embeddings.lengths, expected.norm(dim=1), atol=1e-4, rtol=0)
    assert embeddings.tokens == tuple(len(model.tokenizer(text).input_ids) for text in TEXTS)
    assert embeddings.windows == (1, 1, 1, 1)


@pytest.mark.parametrize("id", MODELS)
def test_a_long_text_is_the_mean_over_the_tokens_of_its_windows(id: str, lease: Lease) -> None:
    model = lease(id)
    limit = model.checkpoint.token_limit
    words = ["bread", "oven", "late", "fox"] * limit
    text = " ".join(words)
    embeddings = finish(vectors.embed(model, [text, "Rain."]))
    ids = model.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    first, last = model.tokenizer.cls_token_id, model.tokenizer.sep_token_id
    size = limit - 2
    windows = [[first, *ids[place : place + size], last] for place in range(0, len(ids), size)]
    with torch.inference_mode():
        hidden = [model.network(input_ids=torch.tensor([window])).last_hidden_state[0] for window in windows]
    expected = torch.nn.functional.normalize(torch.cat(hidden).mean(dim=0), dim=0)
    torch.testing.assert_close(embeddings.vectors[0], expected, atol=1e-5, rtol=0)
    assert embeddings.windows == (len(windows), 1)
    assert embeddings.tokens[0] == sum(map(len, windows))


def test_windows_are_said(runner: Runner) -> None:
    answer = runner.call(TASK, {"source": "Rain.", "sentences": ["wet " * 400, "dry"]})
    assert answer.notes == (
        "1 text is longer than 256 tokens: split into windows, whose embeddings are averaged.",
    )
    assert answer.tokens_used > 256


def test_meaning_counts_not_words(runner: Runner) -> None:
    sentences = ["A cook made tasty food.", "The chef sued the delicious restaurant.", "Stocks fell sharply."]
    scores = runner.call(
        TASK, {"source": "The chef prepared a delicious meal.", "sentences": sentences}
    ).result.scores
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0.7
    assert scores[2] < 0.1


def test_a_text_is_like_itself_and_order_is_kept(runner: Runner) -> None:
    sentences = [f"Sentence number {index} is about {topic}." for index, topic in enumerate("abcdefgh")]
    together = runner.call(TASK, {"source": sentences[3], "sentences": sentences}).result.scores
    alone = [
        runner.call(TASK, {"source": sentences[3], "sentences": [sentence]}).result.scores[0]
        for sentence in sentences
    ]
    assert together == pytest.approx(alone, abs=1e-5)
    assert together[3] == pytest.approx(1, abs=1e-5)
    assert max(together) == together[3]


def test_all_pairs_and_dot_products(runner: Runner, lease: Lease) -> None:
    payload = {"source": TEXTS[0], "sentences": TEXTS[1:], "model": "tiny-encoder"}
    vectors = torch.stack([plain(lease("tiny-encoder"), text) for text in TEXTS])
    unit = torch.nn.functional.normalize(vectors, dim=1)
    for measure, expected in (("cosine", unit @ unit.T), ("dot", vectors @ vectors.T)):
        result = runner.call(TASK, {**payload, "measure": measure, "matrix": True}).result
        torch.testing.assert_close(torch.tensor(result.matrix), expected, atol=1e-3, rtol=1e-4)
        assert result.scores == pytest.approx(result.matrix[0][1:], abs=1e-5)
    assert runner.call(TASK, payload).result.matrix == []


def test_too_many_texts_for_all_pairs_are_refused_with_their_number(runner: Runner) -> None:
    many = [f"Sentence {index}." for index in range(MATRIX_TEXTS)]
    with pytest.raises(TourError, match=f"these are {MATRIX_TEXTS + 1}") as caught:
        runner.call(TASK, {"source": "Rain.", "sentences": many, "matrix": True})
    assert (caught.value.code, caught.value.field) == (Code.TOO_LONG, "sentences")
