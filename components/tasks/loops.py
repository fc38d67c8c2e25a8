"""Whether a generated text goes round in circles: a syllable, a word or a phrase again and again."""

from __future__ import annotations

import re

# A syllable three times within a word, but for what German endings make ("erschienenen"), or a word or phrase
# three times in a row.
_SYLLABLE = re.compile(r"([^\W\d_]{3,8}|(?!en|er)[^\W\d_]{2})\1{2,}", re.IGNORECASE)
_PHRASE = re.compile(r"\b(\w+(?:\W+\w+){0,7}?)(?:\W+\1\b){2,}", re.IGNORECASE)
# A letter, or a sign that is no full stop or line, so many times.
_LETTER = re.compile(r"([^\d\s._=*#-])\1{4,}")


def loops(text: str, source: str = "") -> bool:
    """Whether `text` repeats something more often than people do, unless `source` does likewise."""
    return any(
        pattern.search(text) and not pattern.search(source) for pattern in (_SYLLABLE, _PHRASE, _LETTER)
    )
