"""Where the sentences of a text are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sentencex import get_sentence_boundaries

# A line break inside a sentence, as in mail: no full stop before it, and the next line goes on (in small
# letters, which is looked at below).
_WRAPPED = re.compile(r"(?<=[\w,;:\-–—)])[ \t]*\r?\n[ \t]*(?=[^\W\d_])")
_BLANK = re.compile(r"\n[ \t]*\r?\n")
_SHORT = 40  # characters of a line that nobody wraps
_BREAK = re.compile(r"[\r\n\v\f\u0085\u2028\u2029]+")
# What marks an entry of a list.
_BULLET = re.compile(r"(?:[-*+•–—#>·]+|\(?\w{1,3}[.)])\s+(?=\S)")
# Where a sentence may be parted, the better places first.
_BORDERS = (re.compile(r"[;:]\s+|\s[–—-]\s+"), re.compile(r"[,)、，]\s*"), re.compile(r"\s+"))
# What a sentence ends with, and a title, a salutation or a signature does not.
_ENDS = (".", "!", "?", "…", "”", '"', "。", "！", "？")


@dataclass(frozen=True, order=True)
class Span:
    """Part of a text: its characters from `start` up to, not including, `end`."""

    start: int
    end: int

    def of(self, text: str) -> str:
        return text[self.start : self.end]


def sentences(text: str, language: str = "en") -> list[Span]:
    """The sentences of `text` in order, without the space around them; what has no letters is none.

    A line break ends a sentence unless the line was only wrapped. `language` is a code such as "de", for
    its abbreviations.
    """
    return [
        sentence
        for line in lines(text)
        for sentence in _split(text, line, language)
        if any(map(str.isalpha, sentence.of(text)))
    ]


def lines(text: str) -> list[Span]:
    """The lines that are not blank; wrapped ones count as one."""
    wrapped = {
        match.start() + match.group().index("\n")
        for match in _WRAPPED.finditer(text)
        if text[match.end()].islower() and not _is_list(_block(text, match.start()))
    }
    found, start = [], 0
    for match in _BREAK.finditer(text):
        if match.end() - 1 in wrapped:
            continue
        found.append(Span(start, match.start()))
        start = match.end()
    found.append(Span(start, len(text)))
    return [line for line in (_strip(text, line) for line in found) if line.start < line.end]


def ended(sentence: str) -> bool:
    """Whether it has the end of a sentence, unlike a title, a salutation or what was cut off."""
    return sentence.rstrip(")]’»").endswith(_ENDS)


def shouted(sentence: str) -> bool:
    """Whether several words are all in capitals."""
    return sentence.isupper() and len(sentence.split()) > 1


def unlisted(text: str, sentence: Span) -> Span:
    """The sentence without the bullet or number that makes it an entry of a list."""
    bullet = _BULLET.match(text, sentence.start, sentence.end)
    return Span(bullet.end(), sentence.end) if bullet else sentence


def parted(text: str, span: Span, fits: Callable[[Span], bool]) -> Iterator[Span]:
    """The span, halved until each part fits: at the borders of clauses where it has some in its middle half,
    else between words, else anywhere.
    """
    if fits(span) or span.end - span.start < 2:
        yield span
        return
    middle, quarter = (span.start + span.end) // 2, (span.end - span.start) // 4
    before, after = Span(span.start, middle), Span(middle, span.end)
    for border in _BORDERS:
        if found := list(border.finditer(text, middle - quarter, middle + quarter)):
            best = min(found, key=lambda match: abs(match.end() - middle))
            end = best.start() + len(best.group().rstrip())
            before, after = Span(span.start, end), Span(best.end(), span.end)
            break
    yield from parted(text, before, fits)
    yield from parted(text, after, fits)


def _block(text: str, at: int) -> str:
    """The lines around a place, between blank ones."""
    start = max((one.end() for one in _BLANK.finditer(text, 0, at)), default=0)
    end = _BLANK.search(text, at)
    return text[start : end.start() if end else len(text)].strip()


def _is_list(block: str) -> bool:
    """Whether lines are entries, as of a shopping list, and not a sentence that was wrapped: all are short,
    the last one does not end a sentence, and there are several or they have a word or two each.
    """
    entries = [line.strip() for line in block.splitlines()]
    short = all(len(entry) < _SHORT for entry in entries)
    words = max(len(entry.split()) for entry in entries)
    return short and not ended(block) and (words <= 2 or (len(entries) > 2 and words <= 6))


def _split(text: str, line: Span, language: str) -> list[Span]:
    return [
        _strip(text, Span(line.start + found["start_index"], line.start + found["end_index"]))
        for found in get_sentence_boundaries(language, line.of(text))
    ]


def _strip(text: str, span: Span) -> Span:
    part = span.of(text)
    start = span.start + len(part) - len(part.lstrip())
    return Span(start, max(start, span.start + len(part.rstrip())))
