from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from components.tasks.sentences import Span, lines, parted, sentences, unlisted

TEXTS = st.text(st.sampled_from("aBc. !?\n\r,;:-“”1é中。 \u2028😀\u0301"), max_size=60) | st.text(max_size=60)


def split(text: str, language: str = "en") -> list[str]:
    return [span.of(text) for span in sentences(text, language)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dr. Smith paid $3.5 million. Why?", ["Dr. Smith paid $3.5 million.", "Why?"]),
        ("“No! Never.” She left.", ["“No! Never.”", "She left."]),
        ("A title\nThe text. More", ["A title", "The text.", "More"]),
        ("a line that was\r\nwrapped here. Next.", ["a line that was\r\nwrapped here.", "Next."]),
        ("She said “No. Never.” to him. He left.", ["She said “No. Never.” to him.", "He left."]),
        ("1. Buy milk.\n\n***\n12:30", ["Buy milk."]),
        ("", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert split(text) == expected


def test_abbreviations_are_the_languages_own() -> None:
    assert split("Er kam am 3. Oktober z. B. an. Gut.", "de") == ["Er kam am 3. Oktober z. B. an.", "Gut."]


@given(TEXTS)
@example("😀 One. 😀 Two.")
@example("\u2028.\u0301a")
def test_each_letter_is_in_one_sentence(text: str) -> None:
    spans = sentences(text)
    assert spans == sorted(spans)
    assert all(one.end <= other.start for one, other in itertools.pairwise(spans))
    assert all(span.of(text) == span.of(text).strip() != "" for span in spans)
    within = {place for span in spans for place in range(span.start, span.end)}
    assert all(place in within for place, character in enumerate(text) if character.isalpha())
    assert all(
        any(line.start <= span.start and span.end <= line.end for line in lines(text)) for span in spans
    )


@given(TEXTS, st.integers(1, 20))
@example("one, two; three four " * 5, 30)
def test_parts_fit_and_leave_out_space_alone(text: str, longest: int) -> None:
    whole = Span(0, len(text))
    parts = list(parted(text, whole, lambda span: span.end - span.start <= longest))
    assert all(part.end - part.start <= max(longest, 1) for part in parts)
    between = [text[one.end : other.start] for one, other in itertools.pairwise(parts)]
    assert not "".join(between).strip()
    assert (parts[0].start, parts[-1].end) == (0, len(text))


def test_a_sentence_is_parted_between_clauses() -> None:
    text = "The fox jumped over the dog; the dog slept on, as ever."
    parts = parted(text, Span(0, len(text)), lambda span: span.end - span.start < 40)
    assert [part.of(text) for part in parts] == ["The fox jumped over the dog;", "the dog slept on, as ever."]


@pytest.mark.parametrize("bullet", ["- ", "• ", "3. ", "(b) ", "a) "])
def test_bullets_are_no_part_of_a_sentence(bullet: str) -> None:
    text = f"{bullet}Eat well."
    assert unlisted(text, Span(0, len(text))).of(text) == "Eat well."


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("apples\npears\nplums", 3),
        ("two eggs\nflour", 2),
        ("call the bank\npay rent\nwrite to mum about the party", 3),
        ("shoes\r\nsocks\r\nhats", 3),
        ("Buy:\n\nsoap\nsalt\n\nThat is all.", 4),
        ("This is a long sentence that somebody wrapped\nin the middle of it.", 1),
        ("A line\nthat goes on", 1),
        ("He came\nand saw\nand won.", 1),
    ],
)
def test_short_lines_are_entries_of_a_list(text: str, count: int) -> None:
    assert len(lines(text)) == count
