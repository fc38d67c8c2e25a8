from __future__ import annotations

import pytest

from components.tasks.loops import circling, loops
from components.tasks.translation.omissions import omissions


@pytest.mark.parametrize(
    ("source", "translation", "lacking"),
    [
        (
            "My name is Wolfgang and I live in Berlin",
            "Mein Name ist klug und ich lebe in Klanz",
            ["Wolfgang", "Berlin"],
        ),
        ("Sarah lives in London.", "Sagen Sie in London.", ["Sarah"]),
        ("Sarah's cat and Tom's dog", "Sarahs Katze und Toms Hund", []),
        (
            "We met in Munich on Friday in Germany.",
            "Wir trafen uns am Freitag in München in Deutschland.",
            [],
        ),
        ("Refugees from Europe and America", "Flüchtlinge aus Europa und Amerika", []),
        ("It cost 1,250.50 euros in 2019.", "Es kostete 2019 1.250,50 Euro.", []),
        ("It cost 1,250 euros in 2019.", "Es kostete 1.520 Euro.", ["1,250", "2019"]),
        ("I have 3 dogs and 12 cats.", "Ich habe drei Hunde und zwölf Katzen.", []),
        ("Dear Sir or Madam, Will you come?", "Sehr geehrte Damen und Herren, kommen Sie?", []),
        ("We saw Ulf.", "Wir sahen Ulfriede.", ["Ulf"]),
        ("THE DOG BITES", "Der Hund beißt", []),
        ("Buy the GTX 4090 at Curry & Sons' shop.", "Kaufen Sie die GTX 4090 bei Curry & Sons.", []),
    ],
)
def test_english_to_german(source: str, translation: str, lacking: list[str]) -> None:
    assert omissions(source, translation, ("en", "de")) == lacking


def test_only_where_capitals_tell_names_and_letters_are_the_same() -> None:
    assert omissions("Der Hund von Okafor hat 1250 Flöhe.", "Nothing.", ("de", "en")) == ["1250"]
    assert omissions("Okafor has 1250 fleas.", "У Окафора 1250 блох.", ("en", "ru")) == []
    assert omissions("Okafor has 1250 fleas.", "لدى أوكافور ١٢٥٠ برغوثا", ("en", "ar")) == []
    assert omissions("Le chien de Okafor a 1250 puces.", "The dog has fleas.", ("fr", "en")) == [
        "Okafor",
        "1250",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Barbarbarbarbar",
        "Der der der Hund",
        "Ich bin es, ich bin es, ich bin es.",
        "aaaaaaah",
        "Eine Eleleleleterung.",
        "Tatatatata",
        "der \n der\tder",
        "Es kostet 100000000000 Euro.",
        "Am 1212121212. Mai",
    ],
)
def test_what_goes_round_in_circles(text: str) -> None:
    assert loops(text)
    assert not loops(text, source=text)


@pytest.mark.parametrize(
    "text",
    [
        "Die erschienenen Bücher",
        "Mississippi",
        "Er sagte, dass das das Beste sei.",
        "1000000",
        "......",
        "-----",
        "ha ha",
    ],
)
def test_what_people_write(text: str) -> None:
    assert not loops(text)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("It is so good. " + "I like the way it is. " * 3, "It is so good. I like the way it is. "),
        ("Well, " + "ha" * 24, "Well, ha"),
        ("It costs 1" + "0" * 48, "It costs 10"),
        ("One two three. One two three. One", None),
        ("Row, row, row your boat: ha ha ha ha ha!", None),
        ("The rule:\n" + "-" * 80, None),
        ("| --- | " * 20, None),
        ("[0, 0, 0, 0, 0, 0, 0, 0]", None),
    ],
)
def test_where_a_text_that_grows_begins_to_repeat_itself(text: str, kept: str | None) -> None:
    end = circling(text)
    assert (end if end is None else text[:end]) == kept
    assert circling(text, len(text)) is None
