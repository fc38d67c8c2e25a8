"""What is a word in a text, for everything that must not cut one in two."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right

# Of each character's shape: punctuation stays in words such as "U.S" and "O'Neill" and is split off "(U.S.)",
# and scripts that are written without spaces have no words.
_WORD = re.compile(r"a+(?:\.a+)*|\.|1")
_UNSPACED = ("CJK ", "HIRAGANA ", "KATAKANA ", "THAI ", "LAO ", "KHMER ", "MYANMAR ")
_ADDRESS = re.compile(r"@|^www\.")
# What parts "1998-2003", "and/or" and "Paris,London", but not "1,234", "3/4/2024" and "O'Neill".
_PARTS = re.compile(r"[^\W\d_]*\d+(?:[.,:'’/]\d+)*[^\W\d_]*|[^-‐‑–—/…,;:!?|]+|[-‐‑–—/…,;:!?|]")


def word_ends(text: str) -> list[int]:
    """Where words and marks between them end."""
    return [found.end() for found in _WORD.finditer("".join(map(_shape, text)))]


def _shape(letter: str) -> str:
    if letter.isspace():
        return " "
    if unicodedata.category(letter).startswith("P"):
        return "."
    return "1" if unicodedata.name(letter, "").startswith(_UNSPACED) else "a"


class Words:
    """The words of a text, by where they start and end: addresses, amounts and versions are whole, a range or
    two names with a slash between them are two.
    """

    def __init__(self, text: str) -> None:
        spans = []
        for found in _WORD.finditer("".join(map(_shape, text))):
            start, end = found.span()
            word = text[start:end]
            if _ADDRESS.search(word):
                spans.append((start, end))
            else:
                spans += [(start + one.start(), start + one.end()) for one in _PARTS.finditer(word)]
        self._starts = [start for start, _ in spans]
        self._ends = [end for _, end in spans]

    def around(self, start: int, end: int) -> tuple[int, int]:
        """[start, end) with the rest of the words that it has a part of."""
        first = bisect_right(self._starts, start) - 1
        if first >= 0 and self._ends[first] > start:
            start = self._starts[first]
        last = bisect_left(self._ends, end)
        if last < len(self._ends) and self._starts[last] < end:
            end = self._ends[last]
        return start, end
