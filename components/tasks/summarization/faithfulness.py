"""Whether a summary says more than its source: names and numbers that the source lacks."""

from __future__ import annotations

import re
from collections.abc import Iterator

_WORD = re.compile(r"\d+(?:[.,:/]\d+)*|[^\W\d_]+(?:[-’'][^\W\d_]+)*\w*")
_POSSESSIVE = re.compile(r"[’'](?:s|S)?$")
# "One" is a pronoun as often as a number.
_NUMBERS = (
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
    "eighteen", "nineteen", "twenty",
)  # fmt: skip
_DIGITS = {word: str(number) for number, word in enumerate(_NUMBERS, 2)}


def unsupported_entities(sentence: str, source: str) -> list[str]:
    """The names and numbers of the sentence that do not occur in the source.

    A name is a word with a capital letter that does not begin the sentence, except "I". A number may be
    in digits here and a word there.
    """
    known = set(_words(source.casefold()))
    known |= {part for word in known for part in re.split("[-’']", word)}
    return [word for word in _claims(sentence) if known.isdisjoint(_spellings(word))]


def _words(text: str) -> list[str]:
    return [_POSSESSIVE.sub("", word) for word in _WORD.findall(text)]


def _claims(sentence: str) -> Iterator[str]:
    for index, word in enumerate(_words(sentence)):
        named = index > 0 and word[0].isupper() and word.split("'")[0].split("’")[0] != "I"
        if word[0].isdigit() or word.casefold() in _DIGITS or named:
            yield word


def _spellings(word: str) -> list[str]:
    folded = word.casefold()
    numbers = {digits: number for number, digits in _DIGITS.items()}
    return [folded, *filter(None, [_DIGITS.get(folded), numbers.get(folded)])]
