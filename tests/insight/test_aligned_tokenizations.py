"""Groups over cells: nothing is lost, and every token can be put back where it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.insight.aligned_tokenizations import Lane, cells, lane
from components.models.catalog import load_catalog
from components.models.tokenizers import Tokenizers
from tests.fakes import checkpoints

EDGE_CASES: list[str] = json.loads(
    (Path(__file__).parents[1] / "data" / "edge_cases.json").read_text("utf-8")
)
IDS = [
    *(one.id for one in load_catalog() if one.embedded and one.body is None),
    *(f"tiny-{name}" for name in checkpoints.TINY if name != "tapas"),
]
everywhere = pytest.mark.parametrize("id", IDS)


def of(tokenizers: Tokenizers, id: str, text: str) -> Lane:
    return lane(id, tokenizers.get(id), None, text, cells(text))


@everywhere
def test_every_token_can_be_put_back(tokenizers: Tokenizers, id: str) -> None:
    for text in EDGE_CASES:
        check(tokenizers, id, text)


@everywhere
@settings(max_examples=40)
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40))
def test_every_token_of_any_text_can_be_put_back(tokenizers: Tokenizers, id: str, text: str) -> None:
    check(tokenizers, id, text)


def check(tokenizers: Tokenizers, id: str, text: str) -> None:
    """What the browser rebuilds from groups and cells is what the tokenizer said."""
    characters = cells(text)
    assert "".join(characters) == text
    found = of(tokenizers, id, text)
    tokens = tokenizers.get(id).encode(text)
    assert found.ids == [token.id for token in tokens]
    starts = [0]
    for character in characters:
        starts.append(starts[-1] + len(character))
    cell = index = 0
    for gap, width, count in zip(found.groups[::3], found.groups[1::3], found.groups[2::3], strict=True):
        assert gap >= 0
        assert width >= 0
        assert count >= 1
        cell += gap
        for token in tokens[index : index + count]:
            start, end = starts[cell], starts[cell + width]
            if (placed := found.inner.get(index)) is not None:
                assert placed[2] == text[placed[0] : placed[1]]
                start, end, _ = placed
            assert (start, end) == (token.start, token.end), (text, token)
            index += 1
        cell += width
    assert index == len(tokens)
    assert cell <= len(characters)


def test_a_character_of_several_tokens_is_one_group(tokenizers: Tokenizers) -> None:
    found = of(tokenizers, "SmolLM2-135M-Instruct", "a👩‍🚀b")
    assert cells("a👩‍🚀b") == ["a", "👩‍🚀", "b"]
    assert found.groups[:2] == [0, 1]
    assert found.groups[1::3] == [1, 1, 1]
    assert found.groups[5] > 1
    assert len(found.inner) == found.groups[5]


def test_bytes_that_the_vocabulary_lacks_are_counted(tokenizers: Tokenizers) -> None:
    assert of(tokenizers, "SmolLM2-135M-Instruct", "a\x1db").lost == 1
    for text in EDGE_CASES:
        assert of(tokenizers, "tiny-causal-lm", text).lost == 0


def test_unknown_tokens_are_counted(tokenizers: Tokenizers) -> None:
    assert of(tokenizers, "all-MiniLM-L6-v2", "a 👩‍🚀 b").unknown == 1
    assert of(tokenizers, "SmolLM2-135M-Instruct", "a 👩‍🚀 b").unknown == 0
