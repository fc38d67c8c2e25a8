"""The tool behind the interfaces, and the code that repeats it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from components.models.catalog import load_catalog
from components.models.errors import Code, TourError
from components.tasks.runner import Runner
from components.tasks.snippet import tokenizer_snippet
from components.tasks.task import Progress
from components.tasks.tokenize import MOST, TOOL
from demos.tokenizers import TEASER
from tests.tasks.test_snippets import run

OWN = [one.id for one in load_catalog() if one.embedded and one.body is None]
TEXT = "Two \"spaces\"  and 'Café'\nin \\ lines 👩‍🚀."


def ask(runner: Runner, **payload: object) -> dict[str, Any]:
    *steps, last = runner.answer(TOOL, payload)
    assert all(isinstance(step, Progress) for step in steps)
    assert not isinstance(last, Progress)
    return last.as_json()


@pytest.mark.parametrize("id", OWN)
def test_tokens_say_what_they_cover(runner: Runner, id: str) -> None:
    [found] = ask(runner, text=TEXT, tokenizers=[id])["tokenizations"]
    assert found["tokenizer"] == id
    assert found["token_limit"] == runner.registry.catalog[id].token_limit
    for token in found["tokens"]:
        covered = TEXT[token["start"] : token["end"]]
        assert token["text"] == (covered or token["piece"])
    assert any(token["special"] for token in found["tokens"]) is (id != "SmolLM2-135M-Instruct")


def test_the_order_is_that_of_the_request_and_each_comes_once(runner: Runner) -> None:
    asked = ["tiny-causal-lm", "all-MiniLM-L6-v2", "tiny-causal-lm"]
    found = ask(runner, text="one two", tokenizers=asked)["tokenizations"]
    assert [each["tokenizer"] for each in found] == asked[:2]


def test_spaces_alone_are_text(runner: Runner) -> None:
    [found] = ask(runner, text=" \n", tokenizers=["tiny-causal-lm"])["tokenizations"]
    assert "".join(token["text"] for token in found["tokens"]) == " \n"


def test_the_home_pages_result_is_a_real_one(runner: Runner) -> None:
    word, parts = TEASER
    [found] = ask(runner, text=word)["tokenizations"]
    assert [token["text"] for token in found["tokens"] if not token["special"]] == parts


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": "a\0b"}, "text"),
        ({"text": "x" * 100_001}, "text"),
        ({"text": "a", "tokenizers": []}, "tokenizers"),
        ({"text": "a", "tokenizers": [" "]}, "tokenizers"),
        ({"text": "a", "tokenizers": list("abcde")}, "tokenizers"),
        ({"text": "a", "tokenizers": "all-MiniLM-L6-v2"}, "tokenizers"),
        ({"text": "a", "tokenizers": ["nobody"]}, "tokenizers"),
        ({"text": "a", "model": "all-MiniLM-L6-v2"}, None),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(runner: Runner, payload: dict[str, object], field: str | None) -> None:
    assert MOST == 4
    with pytest.raises(TourError) as caught:
        ask(runner, **payload)
    assert caught.value.field == field
    assert caught.value.code in (Code.INVALID_INPUT, Code.TOO_LONG, Code.UNKNOWN_MODEL)
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize("id", OWN)
def test_the_snippet_prints_the_librarys_tokens(runner: Runner, id: str, reader: Path) -> None:
    source = runner.tokenizers.source(id)
    assert source is not None
    printed = run(tokenizer_snippet(source, TEXT), reader)
    folder = runner.registry.fetch_tokenizer(runner.registry.catalog[id], lambda share, words: None)
    expected = AutoTokenizer.from_pretrained(folder)(TEXT)["input_ids"]
    lines = [line.split("\t")[0] for line in printed.splitlines() if "\t" in line]
    assert [int(id) for id in lines] == expected
