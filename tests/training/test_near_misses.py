"""Questions that a text nearly answers."""

from __future__ import annotations

from random import Random

import pytest

from components.training import near_misses
from components.training.near_misses import Swaps
from components.training.questions import Question

LISBON = "Lisbon is the capital of Portugal. It was rebuilt after 1755. Its mayor opened the bridge in May."


def asked(question: str, answer: str, context: str = LISBON) -> Question:
    return Question(question, context, ((answer, context.index(answer)),))


def test_the_sentence_with_the_answer_is_taken_out() -> None:
    found = near_misses.cut(asked("When was Lisbon rebuilt?", "1755"))
    assert found == Question(
        "When was Lisbon rebuilt?",
        "Lisbon is the capital of Portugal. Its mayor opened the bridge in May.",
        (),
    )
    assert near_misses.cut(asked("What is it?", "capital", "Lisbon is the capital.")) is None


def test_of_other_texts_the_one_that_is_most_like_the_question_and_does_not_answer() -> None:
    texts = [
        "Nothing of the kind.",
        "A city was rebuilt after a fire.",
        "Lisbon was rebuilt in 1755, as was said.",
        LISBON,
    ]
    found = near_misses.elsewhere(asked("When was Lisbon, the city, rebuilt?", "1755"), texts)
    assert found is not None
    assert found.context == texts[1]


def test_another_name_where_questions_have_one() -> None:
    swaps = Swaps(["What is the capital of Spain?", "What is the capital of Portugal?", "Who is it?"])
    one = asked("What is the capital of Portugal?", "Lisbon")
    for seed in range(20):
        found = swaps.swapped(one, Random(seed))
        assert found == Question("What is the capital of Spain?", LISBON, ())
        renamed = swaps.renamed(one, Random(seed))
        assert renamed is not None
        assert renamed.question == "What is the capital of Spain?"
        assert renamed.context == LISBON.replace("Portugal", "Spain")
        assert [renamed.context[start:][: len(answer)] for answer, start in renamed.answers] == ["Lisbon"]
    # The answer itself is never renamed.
    assert swaps.renamed(asked("What of Portugal?", "Portugal"), Random(0)) is None


@pytest.mark.parametrize(
    ("question", "answer", "other"),
    [
        ("Who opened the bridge first in 1755?", "mayor", "1755"),
        ("What was rebuilt after that?", "Lisbon", "after"),
    ],
)
def test_another_number_or_the_contrary(question: str, answer: str, other: str) -> None:
    found = near_misses.contrary(asked(question, answer), Random(0))
    assert found is not None
    assert found.answers == ()
    assert other not in found.question


@pytest.mark.parametrize(
    ("question", "answer", "context", "expected"),
    [
        (
            "When was it built?",
            "1755",
            "It was built after 1755.",
            {"Where was it built?", "Why was it built?"},
        ),
        (
            "Who opened the bridge?",
            "mayor",
            "The mayor opened the bridge.",
            {"When was the bridge opened?", "Where was the bridge opened?"},
        ),
        ("Who opened the bridge?", "mayor", "The mayor opened the bridge in May.", {None}),
        ("Which city is it?", "Lisbon", "It is Lisbon.", {"what year is it?"}),
        ("What is it?", "Lisbon", "It is Lisbon.", {None}),
    ],
)
def test_asked_for_what_the_text_does_not_say(
    question: str, answer: str, context: str, expected: set[str | None]
) -> None:
    made = {near_misses.retyped(asked(question, answer, context), Random(seed)) for seed in range(20)}
    assert {one.question if one else None for one in made} == expected
    assert all(one.answers == () for one in made if one)
