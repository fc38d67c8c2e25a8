"""Tokenizers that visitors train: what comes out, what is refused, and that nobody waits for ever."""

from __future__ import annotations

import psutil
import pytest

from components.models.errors import Code, TourError
from components.training import tokenizers as training
from tests.tasks.suite import finish

CORPUS = "low lower lowest new newer newest wide wider widest. " * 40
ENDLESS = "ab" * 1_000_000  # one word of two million letters


@pytest.mark.parametrize("algorithm", training.ALGORITHMS)
def test_a_trained_tokenizer_gives_its_text_back(algorithm: training.Algorithm) -> None:
    size = 300 if "byte" in algorithm else 50
    tokenizer = finish(training.train(CORPUS, algorithm, size))
    ids = [token.id for token in tokenizer.encode("lower newest")]
    assert tokenizer.decode(ids) == "lower newest"
    assert ids == [token.id for token in training.learn(CORPUS, algorithm, size).encode("lower newest")]
    growth = tokenizer.growth()
    assert sum(map(bool, (growth.merges, growth.scores, growth.entries))) == 1
    name, content = tokenizer.file()
    assert name.endswith((".json", ".model"))
    assert content


@pytest.mark.parametrize(
    ("text", "algorithm", "size", "field"),
    [
        (" \n ", "WordPiece", 100, "text"),
        ("x " * training.LARGEST_TEXT, "WordPiece", 100, "text"),
        (CORPUS, "magic", 100, "algorithm"),
        (CORPUS, "WordPiece", 10, "size"),
        (CORPUS, "WordPiece", 100_000, "size"),
        ("".join(map(chr, range(0x4E00, 0x4F00))), "SentencePiece BPE", 50, "size"),
    ],
    ids=["blank", "long", "algorithm", "few", "many", "more characters than entries"],
)
def test_what_cannot_be_learned_is_refused(
    text: str, algorithm: training.Algorithm, size: int, field: str
) -> None:
    with pytest.raises(TourError) as caught:
        finish(training.train(text, algorithm, size))
    assert caught.value.field == field
    assert caught.value.message.endswith(".")


def test_a_vocabulary_of_another_size_is_explained() -> None:
    assert "enough for" in training.remarks(training.learn("a b c", "WordPiece", 50), 50)[0]
    assert "alone make" in training.remarks(training.learn(CORPUS, "byte-level BPE", 50), 50)[0]


def children() -> int:
    return sum("components.training.tokenizers" in each.cmdline() for each in psutil.Process().children())


def test_a_closed_training_ends() -> None:
    work = training.train(ENDLESS, "Unigram", 8000)
    next(work)
    assert children() == 1
    work.close()
    assert children() == 0


def test_a_training_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "PATIENCE", 1)
    with pytest.raises(TourError) as caught:
        finish(training.train(ENDLESS, "Unigram", 8000))
    assert caught.value.code is Code.TOO_LONG
    assert children() == 0
