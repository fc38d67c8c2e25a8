"""The home page's figures in small, of the stored tour."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from components.figures import overview as figures
from components.insight import overview
from components.tasks.fields import validate
from demos import examples, home
from tests.figures.test_escaping import HOSTILE, Skeleton, with_texts

STORED = examples.load(overview.TOOL)[0]
SENTENCE, ANSWERS = STORED.answer["sentence"], STORED.answer["answers"]
REQUESTS = {
    part.name: part.request(validate(overview.Inputs, dict(STORED.payload)), SENTENCE)
    for part in overview.PARTS
}


def written(answer: Any, text: str) -> Any:
    """The answer with every text replaced but the names of methods, which are ours."""
    changed = with_texts(answer, text)
    if "methods" in answer:
        changed["methods"] = answer["methods"]
    return changed


@pytest.mark.parametrize("part", overview.NAMES)
def test_no_text_becomes_an_element(part: str) -> None:
    harmless = Skeleton(figures.card(part, with_texts(REQUESTS[part], "x"), written(ANSWERS[part], "x")))
    assert harmless.elements
    for text in HOSTILE:
        drawn = figures.card(part, with_texts(REQUESTS[part], text), written(ANSWERS[part], text))
        assert Skeleton(drawn).elements == harmless.elements


def test_the_strip_stays_a_strip() -> None:
    def drawn(text: str) -> Skeleton:
        return Skeleton(figures.strip(text, {name: written(one, text) for name, one in ANSWERS.items()}))

    assert all(drawn(text).elements == drawn("x").elements for text in HOSTILE)


def test_what_is_not_there_yet_has_its_place() -> None:
    empty, whole = figures.strip(SENTENCE, {}), figures.strip(SENTENCE, ANSWERS)
    assert empty.count("skeleton") == 5
    assert whole.count("skeleton") == 0
    assert empty.count("<h3>") == whole.count("<h3>") == 5
    ElementTree.fromstring(whole[whole.index("<svg") : whole.index("</svg>") + 6])  # noqa: S314 - our own


def test_an_answer_that_is_not_in_the_text_is_said() -> None:
    nothing = {**ANSWERS["answer"], "no_answer": 0.9}
    assert "does not say" in figures.card("answer", REQUESTS["answer"], nothing)


def test_every_part_has_a_card_or_a_stage() -> None:
    assert {card.part for card in home.CARDS} | set(home.STAGES) == set(overview.NAMES)
    assert [part.name for part in overview.PARTS] == list(overview.NAMES)
