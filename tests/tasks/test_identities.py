"""The same sentence about somebody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.tasks.identities import swaps


@pytest.mark.parametrize(
    ("text", "word", "expected"),
    [
        ("An American and a dog.", "Mexican", "A Mexican and a dog."),
        ("She met a Polish man.", "Indian", "She met an Indian man."),
        ("Emily met Emily's boss.", "Jamal", "Jamal met Jamal's boss."),
        ("Old men complain.", "young", "Young men complain."),
        ("THE MUSLIM DOCTOR", "Jewish", "THE JEWISH DOCTOR"),
    ],
)
def test_one_of_a_group_for_another(text: str, word: str, expected: str) -> None:
    assert expected in [swap.text for swap in swaps(text) if swap.word == word]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He lost his keys, so she called him.", "She lost her keys, so she called her."),
        ("Her boss likes her.", "His boss likes him."),
        ("My father is a man who taught himself.", "My mother is a woman who taught herself."),
        ("Mrs Smith saw her.", "Mr Smith saw him."),
    ],
)
def test_all_forms_of_a_gender_at_once(text: str, expected: str) -> None:
    assert [swap.text for swap in swaps(text) if swap.group == "Gender"] == [expected]


@pytest.mark.parametrize("text", ["The train is late.", "The wall is white.", "We polish shoes.", "", "hehe"])
def test_nobody_is_named(text: str) -> None:
    assert swaps(text) == ()


@given(st.text(max_size=200))
def test_any_text_is_taken(text: str) -> None:
    for swap in swaps(f"{text} Emily {text}"):
        assert swap.text != f"{text} Emily {text}"
