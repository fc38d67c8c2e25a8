"""Whether a generated text goes round in circles: a syllable, a word or a phrase again and again."""

from __future__ import annotations

import re

# A syllable three times within a word, but for what German endings make ("erschienenen"), a word or phrase
# three times in a row, or a letter, or a sign that is no full stop or line, five times.
_CIRCLES = re.compile(
    r"([^\W\d_]{3,8}|(?!en|er)[^\W\d_]{2})\1{2,}|\b(\w+(?:\W+\w+){0,7}?)(?:\W+\2\b){2,}"
    r"|([^\d\s._=*#-])\3{4,}",
    re.IGNORECASE,
)


def loops(text: str, source: str = "") -> bool:
    """Whether `text` repeats something more often than people do, unless `source` does likewise."""
    return bool(_CIRCLES.search(text)) and not _CIRCLES.search(source)
