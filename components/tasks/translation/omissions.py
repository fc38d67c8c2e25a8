"""Names and numbers of a sentence that its translation lacks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from difflib import SequenceMatcher

from components.tasks.languages import LANGUAGES
from components.tasks.ordinary import ordinary_words

_WORD = re.compile(r"\d+(?:[.,:/’']\d+)*|[^\W\d_]+(?:[-’'][^\W\d_]+)*\w*")
_POSSESSIVE = re.compile(r"[’']s?$", re.IGNORECASE)
_PART = re.compile(r"[-’']")
# In these languages every noun has a capital.
_CAPITAL_NOUNS = ("de", "lb")
# Smaller numbers are often written in words.
_WORDED = 12
# From here on two spellings are those of one name: Europe, Europa.
_ALIKE = 0.7


def omissions(source: str, translation: str, languages: tuple[str, str]) -> list[str]:
    """The names and numbers of `source` that do not occur in `translation`, in order, each once.

    `languages` are the codes of both. Names are looked for only where capitals tell them and both languages
    are written in Latin letters: elsewhere they are written otherwise.
    """
    words = [_folded(word) for word in _WORD.findall(translation)]
    known = {*words, *(part for word in words for part in _PART.split(word))}
    numbers = {_digits(word) for word in words}
    lacking = [
        word
        for word in _claims(source, languages)
        if (not _number_kept(word, numbers) if word[0].isdigit() else not _name_kept(_folded(word), known))
    ]
    return list(dict.fromkeys(lacking))


def _claims(source: str, languages: tuple[str, str]) -> Iterator[str]:
    """Numbers above twelve, and words with a capital that are not ordinary ones."""
    named = languages[0] not in _CAPITAL_NOUNS and all(map(_latin, languages))
    shouted = source.upper() == source
    ordinary = ordinary_words() if languages[0] == "en" else frozenset()
    for index, found in enumerate(_WORD.findall(source)):
        word = _POSSESSIVE.sub("", found)
        if word[0].isdigit():
            if int(_digits(word)) > _WORDED:
                yield word
        elif named and word[0].isupper() and len(word) > 1 and not shouted:
            parts = _PART.split(word.casefold())
            if (index > 0 or ordinary) and not (ordinary.issuperset(parts) or word.casefold() in ordinary):
                yield word


def _number_kept(word: str, numbers: Collection[str]) -> bool:
    digits = _digits(word)
    return any(digits in number for number in numbers)


def _name_kept(name: str, known: Collection[str]) -> bool:
    """Whether a word is the name, or the name with an ending, or nearly: languages spell names their way."""
    if name in known or f"{name}s" in known:
        return True
    if len(name) < 4:  # what a short name begins with, many words do
        return False
    return any(
        word.startswith(name)
        or (len(word) > 3 and name.startswith(word))
        or SequenceMatcher(None, name, word).ratio() >= _ALIKE
        for word in known
    )


def _folded(word: str) -> str:
    return _POSSESSIVE.sub("", unicodedata.normalize("NFC", word).casefold())


def _digits(word: str) -> str:
    return "".join(str(unicodedata.digit(character)) for character in word if character.isdigit())


def _latin(code: str) -> bool:
    return code not in LANGUAGES or LANGUAGES[code].flores.endswith(("Latn", "-"))
