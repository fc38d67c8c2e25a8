"""Whether a generated text goes round in circles: a syllable, a word or a phrase again and again."""

from __future__ import annotations

import re

# A syllable three times within a word, but for what German endings make ("erschienenen"), a word or phrase
# three times in a row, a letter, or a sign that is no full stop or line, five times, a digit eight times, or
# several five times.
_CIRCLES = re.compile(
    r"([^\W\d_]{3,8}|(?!en|er)[^\W\d_]{2})\1{2,}|\b(\w+(?:\W+\w+){0,7}?)(?:\W+\2\b){2,}"
    r"|([^\d\s._=*#-])\3{4,}|(\d)\4{7,}|(\d{2,8})\5{4,}",
    re.IGNORECASE,
)
# The end of a text that grows is looked at for what repeats: so many characters at most, so often and, if
# they are few, over so many characters, as people repeat a word or a syllable for effect.
_LONGEST, _LONG, _TIMES, _MORE_TIMES, _FEW = 200, 20, 3, 4, 36


def loops(text: str, source: str = "") -> bool:
    """Whether `text` repeats something more often than people do, unless `source` does likewise."""
    return bool(_CIRCLES.search(text)) and not _CIRCLES.search(source)


def circling(text: str, start: int = 0) -> int | None:
    """Where a text, from `start` on, has come to repeat its end and nothing else: after what is repeated.

    None if it has not, or if what is repeated has neither letter nor digit.
    """
    for size in range(1, min(_LONGEST, (len(text) - start) // _TIMES) + 1):
        unit = text[-size:]
        times = _TIMES if size >= _LONG else max(_MORE_TIMES, -(-_FEW // size))
        begin = len(text) - size * times
        if begin >= start and text.endswith(unit * times) and any(map(str.isalnum, unit)):
            while begin - size >= start and text[begin - size : begin] == unit:
                begin -= size
            return begin + size
    return None
