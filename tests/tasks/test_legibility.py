"""Whatever a checkpoint cannot read, its answer says so; and of what it can read it says nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from components.tasks import (
    legibility,
    named_entities,
    sentence_similarity,
    summarization,
    table_question_answering,
    text_classification,
    text_generation,
    translation,
)
from components.tasks.fields import input_fields
from components.tasks.runner import Runner
from components.ui.page import TaskPage
from demos import PAGES, examples

FOREIGN = {
    "Би чамд хайртай": "Cyrillic script, and seems to be Mongolian",
    "我爱你": "Chinese script",
    "愛しています": "Hiragana script, and seems to be Japanese",
    "أحبك كثيرا": "Arabic script",
    "ฉันรักคุณ": "Thai script, and seems to be Thai",
    "Das Essen war kalt und die Bedienung unfreundlich.": "seems to be in German (de)",
    "Der Film war ein Meisterwerk": "seems to be in German (de)",
    "DAS ESSEN WAR KALT UND DIE BEDIENUNG UNFREUNDLICH": "seems to be in German (de)",
    "Je n'ai pas aimé ce film du tout.": "seems to be in French (fr)",
    "No me gustó nada esta película.": "seems to be in Spanish (es)",
    "Jag älskar dig": "seems to be in Swedish (sv)",
}
ENGLISH = [
    "I love you",
    "Wolfgang",
    "iPhone 15 Pro Max",
    "lol u r gr8",
    "Great!",
    "Thank you",
    "THE BEST FILM EVER",
    "π is 3.14",
    "We sat in a café and read his résumé.",
    "12 + 30 = 42",
    "There is Schadenfreude in his voice.",
]


@pytest.mark.parametrize("text", FOREIGN)
def test_a_foreign_text_is_told(text: str, runner: Runner) -> None:
    notes = runner.call(text_classification.TASK, {"text": text}).notes
    assert FOREIGN[text] in notes[0]
    assert "sentiment reads English (en)" in notes[0]


@pytest.mark.parametrize("text", ENGLISH)
def test_english_is_not(text: str, runner: Runner) -> None:
    notes = runner.call(text_classification.TASK, {"text": text}).notes
    assert not [note for note in notes if "reads English" in note]


def test_no_example_of_the_pages_is_called_foreign() -> None:
    pages = [page for page in PAGES if isinstance(page, TaskPage)]
    stored = [(page.task, entry) for page in pages for entry in examples.load(page.task)]
    assert stored
    for task, entry in stored:
        names = {field.name for field in input_fields(task.inputs)}
        inputs = task.inputs(**{name: value for name, value in entry.payload.items() if name in names})
        for text in legibility.texts(inputs):
            assert not legibility.strange_script(text, ["en"])
            assert not legibility.strange_language(text, ["en"])


@pytest.mark.parametrize(
    ("task", "payload"),
    [
        (named_entities.TASK, {"text": "Frau Müller wohnt seit drei Jahren in einer kleinen Stadt."}),
        (summarization.TASK, {"text": "Es war einmal ein König. Er hatte drei Söhne. Sie zogen fort."}),
        (
            sentence_similarity.TASK,
            {"source": "A dog runs.", "sentences": ["Ein Hund läuft über die Wiese."]},
        ),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_every_task_tells(task, payload, runner: Runner) -> None:
    assert "seems to be in German (de)" in runner.call(task, payload).notes[0]


def test_a_translator_is_to_be_given_its_source_language(runner: Runner) -> None:
    """German is among its languages, but it writes that: it does not read it."""
    german = runner.call(translation.TASK, {"text": "Das Essen war kalt und die Bedienung unfreundlich."})
    assert "seems to be in German (de): translator-en-de reads English (en)" in german.notes[0]
    assert not runner.call(translation.TASK, {"text": "I have lost my ticket."}).notes


def test_characters_without_a_token_are_named(runner: Runner) -> None:
    (note,) = runner.call(text_classification.TASK, {"text": "I love 😀 this 🦖 pizza 😀"}).notes
    assert note.startswith("sentiment does not know these characters")
    assert note.endswith(": 😀 🦖.")


@pytest.mark.parametrize(
    "text", ["\u200b\u200b", "\u2060 \u00ad", "\ufeff", "\u115f\u3164", "\ufe0f\u034f", "\U000e0041"]
)
def test_what_nobody_sees_is_told(text: str, runner: Runner) -> None:
    (note,) = runner.call(text_classification.TASK, {"text": text}).notes
    assert note == "The text has only invisible characters, so the answer means nothing."


def test_languages_that_are_not_known_are_not_judged() -> None:
    assert legibility.strange_script("Привет, мир", ["ru"]) is None
    assert legibility.strange_language("Привет, мир", ["ru", "en"]) is None
    assert legibility.strange_script("안녕하세요 여러분", ["ko", "en"]) is None
    assert legibility.strange_script("日本語です", ["ja"]) is None


ENDLESS = {
    "a" * 100_000: "100,000 characters",
    f"It was {'wonderful' * 20} indeed.": "180 characters",
    f"{'0123456789abcdef' * 8} is a checksum": "128 characters",
    f"Ich bin {'Donaudampfschiff' * 10}!": "160 characters",
}


@pytest.mark.parametrize("word", ENDLESS)
@pytest.mark.parametrize(
    ("task", "payload", "seen"),
    [
        (text_classification.TASK, lambda text: {"text": text[:20_000]}, "saw 1 unknown token ([UNK])"),
        (sentence_similarity.TASK, lambda text: {"source": "A dog.", "sentences": [text[:1_900]]}, "unknown"),
        (
            table_question_answering.TASK,
            lambda text: {"table": {"columns": ["a"], "rows": [[text[:4_000]]]}, "question": "What is a?"},
            "unknown",
        ),
        (
            text_generation.TASK,
            lambda text: {"prompt": text[:1_500], "max_new_tokens": 1},
            "pieces, which mean little: '",
        ),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_word_without_end_is_told(
    word: str, task: Any, payload: Callable[[str], dict[str, object]], seen: str, runner: Runner
) -> None:
    told = [note for note in runner.call(task, payload(word)).notes if "has a word of" in note]
    assert len(told) == 1
    assert seen in told[0]
    assert ENDLESS[word] in told[0] or len(word) > 1_000


@pytest.mark.parametrize(
    "text",
    [
        "Donaudampfschifffahrtsgesellschaftskapitän",
        "https://example.org/" + "/".join(["path"] * 40),
        "a-" * 200,
        "这个房子很好" * 40,
    ],
)
def test_long_words_that_people_write_are_none(text: str, runner: Runner) -> None:
    notes = runner.call(text_classification.TASK, {"text": text}).notes
    assert not [note for note in notes if "has a word of" in note]
