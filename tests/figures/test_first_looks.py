"""Figures that a visitor understands at a glance: doubts, places, trees."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest

from components.figures.decoding import beam_tree
from components.figures.passages import answers
from components.figures.translations import translation
from demos import examples, text_generation
from tests.figures.test_escaping import HOSTILE, Skeleton


def segment(source: str, text: str, *, unsure: bool) -> dict[str, Any]:
    return {"source": source, "translation": text, "score": 0.2 if unsure else 0.9, "unsure": unsure}


def test_an_unsure_sentence_is_marked_in_the_translation_itself() -> None:
    segments = [
        segment("Good day.", "Guten Tag.", unsure=False),
        segment("It crashed.", "Der Serbaber.", unsure=True),
        segment("Good day.", "Guten Tag.", unsure=True),
    ]
    text = "Guten Tag. Der Serbaber.\nGuten Tag."
    drawn = str(translation({}, {"translation": text, "segments": segments, "alternatives": []}))
    shown = drawn.partition("</p>")[0]
    marked = re.findall(r'<span class="doubtful"[^>]*>([^<]*)<', shown)
    assert marked == ["Der Serbaber.", "Guten Tag."]
    assert shown.index("Guten Tag.") < shown.index("doubtful")
    assert "may well be wrong" in drawn
    sure = {"translation": "Guten Tag.", "segments": segments[:1], "alternatives": []}
    assert "doubtful" not in translation({}, sure)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_translation_stays_text(text: str) -> None:
    def drawn(words: str) -> list[Any]:
        parts = [segment(words, words, unsure=True)]
        return Skeleton(
            str(translation({}, {"translation": words, "segments": parts, "alternatives": []}))
        ).elements

    if text.strip():
        assert drawn(text) == drawn("harmless")


def test_answers_in_one_place_are_one_answer() -> None:
    context = "Ada was born in 1958. Her brother came in 1961."
    found = [
        {"text": "1958", "score": 0.9, "start": 16, "end": 20},
        {"text": "in 1958.", "score": 0.05, "start": 13, "end": 21},
        {"text": "1961", "score": 0.03, "start": 42, "end": 46},
        {"text": "1958.", "score": 0.01, "start": 16, "end": 21},
    ]
    drawn = str(answers({"context": context}, {"answers": found, "no_answer": 0.0, "positions": []}))
    assert re.findall(r'class="tag kind-\d"> (Answer \d)', drawn) == ["Answer 1", "Answer 2"]
    first, _, rest = drawn.partition("Other wordings (2)")
    assert "in 1958." not in first.replace(context, "")
    assert "1961" in first
    assert "in 1958." in rest


def test_a_lone_answer_has_nothing_to_switch_and_several_are_not_counted_one_by_one() -> None:
    context = "Ada was born in 1958. Her brother came in 1961."
    found = [
        {"text": "1958", "score": 0.9, "start": 16, "end": 20},
        {"text": "1961", "score": 0.03, "start": 42, "end": 46},
    ]
    for several in (found[:1], found):
        asked = {"answers": several, "no_answer": 0.0, "positions": []}
        drawn = str(answers({"context": context}, asked))
        switches = re.findall(r'class="show-\d" checked> (.*?)</label>', drawn)
        assert switches == ([] if len(several) == 1 else ["Answer 1", "Answer 2"])


def test_beams_are_drawn_as_a_tree_whose_best_path_is_the_text() -> None:
    stored = next(one for one in examples.load(text_generation.PAGE.task) if one.answer["beams"])
    branches = stored.answer["beams"]
    drawn = str(beam_tree(branches))
    assert drawn.count("<polyline") == len(branches)
    assert drawn.count('class="beam-best"') == sum(branch["best"] for branch in branches)
    root = ElementTree.fromstring(drawn)  # noqa: S314 - our own
    rows = [float(one.attrib["y"]) for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert all(0 < row < float(root.attrib["height"]) for row in rows)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_beams_stay_text(text: str) -> None:
    def branch(words: str) -> dict[str, Any]:
        return {"parent": -1, "text": words, "tokens": 1, "log_probability": -1.0, "best": True}

    assert (
        Skeleton(str(beam_tree([branch(text)]))).elements == Skeleton(str(beam_tree([branch("x")]))).elements
    )
