"""Figures of tokens: no text of a visitor or a vocabulary becomes an element, nor is it lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from components.figures import tokens
from components.insight.families import Family
from components.insight.merges import Merge
from components.insight.steps import Pipeline, Step
from components.insight.tensors import Batch, OneHot
from components.insight.transplant import Reading
from components.models.tokenizer import Growth, Tokenizer
from components.training.tokenizers import learn
from tests.figures.test_escaping import HOSTILE, Skeleton

TOKENIZER: Tokenizer = learn("a b c", "WordPiece", 50)

FIGURES: dict[str, Callable[[str], str]] = {
    "families": lambda text: tokens.three_families(
        [Family(kind="Words", rule=text, vocabulary_size=9, tokens=[text], unseen=[text])], text
    ),
    "steps": lambda text: tokens.pipeline_steps(
        Pipeline(
            steps=[Step(name="Model", by=text, parts=[text, text], says=text)],
            ids=[1],
            decoded=text,
            changes=[(text, text)],
        )
    ),
    "tensor": lambda text: tokens.tensor(
        Batch(ids=[[1, 2]], pieces=[[text, text]], mask=[[1, 0]], left_out=[3], filler=0), [text]
    ),
    "one-hot": lambda text: tokens.one_hot_matrix(
        OneHot(vocabulary=[(1, text)], tokens=[text], vectors=[[1]]), 100
    ),
    "merges": lambda text: tokens.vocabulary_growth(Growth(merges=[(text, text)]), TOKENIZER),
    "scores": lambda text: tokens.vocabulary_growth(Growth(scores=[(text, -1.0)]), TOKENIZER),
    "entries": lambda text: tokens.vocabulary_growth(Growth(entries=[text]), TOKENIZER),
    "word": lambda text: tokens.word_merges(text, [text], [Merge(1, (text, text), [text])], TOKENIZER),
    "compared": lambda text: tokens.compared({text: (1, 2)}, 3),
    "transplanted": lambda text: tokens.transplanted(
        {text: Reading(tokens=[text], read_as=[text], labels=[(text, 0.5)], strange=1, left_out=1)}
    ),
}


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
@example(text="<script>")
def test_no_text_becomes_an_element(figure: Callable[[str], str], text: str) -> None:
    assert Skeleton(figure(text)).elements == Skeleton(figure("x")).elements


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_text_is_there_with_its_spaces_made_visible(figure: Callable[[str], str]) -> None:
    for text in (*HOSTILE, "a\tb\nc"):
        assert tokens.visible(text) in Skeleton(figure(text)).text or text in Skeleton(figure(text)).text


def test_what_is_left_out_is_counted() -> None:
    assert "and 5 more" in tokens.chips(["a"] * 15, most=10)
    wide = Batch(ids=[[1] * 60], pieces=[["a"] * 60], mask=[[1] * 60], left_out=[2], filler=0)
    drawn = Skeleton(tokens.tensor(wide, ["a"])).text
    assert "first 48 of 60 columns" in drawn
    assert "text 1 loses 2 tokens" in drawn
