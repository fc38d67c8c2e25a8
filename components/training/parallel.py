"""Sentence pairs from many sources, cleaned, with nothing of what translators are measured on."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from components.training import text

_WORD = re.compile(r"\w+")
_QUOTES = re.compile(r"[“”„‟«»]|''")
_QUOTED = re.compile(r'"(?=\S)([^"]*?\S)"')
_APOSTROPHES = re.compile(r"[‘’‚‛`´]")
_SHARP = re.compile(r"\w*(?:ß|ss)\w*")
# A spelling gives way to the other if that is so many times as frequent.
_FREQUENT = 5
# Words of the longer side for each of the shorter: beyond this, one side says what the other does not.
_LONGER = 2.5


@dataclass(frozen=True)
class Pair:
    source: str
    target: str


def key(sentence: str) -> str:
    """What sentences have in common that are the same but for case and punctuation."""
    return " ".join(_WORD.findall(sentence.casefold()))


def corpora(data: Path, groups: Iterable[Iterable[str]], held: Collection[str]) -> list[list[list[Pair]]]:
    """For each group of files, its distinct sources in order, each with its translations.

    `held` are keys of sentences, of either language, that may not occur. German spelling is unified over all.
    """
    read = [[pair for file in files for pair in _pairs(data / file)] for files in groups]
    spelling = _spelling(pair.target for group in read for pair in group)
    found = []
    for group in read:
        alike: dict[str, dict[str, Pair]] = {}
        for pair in group:
            one = Pair(pair.source, _SHARP.sub(lambda match: spelling.get(match[0], match[0]), pair.target))
            source, target = key(one.source), key(one.target)
            if source and target and source not in held and target not in held and _plausible(one):
                alike.setdefault(source, {}).setdefault(target, one)
        found.append([list(translations.values()) for translations in alike.values()])
    return found


def clean(sentence: str) -> str:
    """Composed characters, single spaces, plain quotation marks and apostrophes."""
    plain = _APOSTROPHES.sub("'", unicodedata.normalize("NFC", sentence))
    return " ".join(_QUOTES.sub('"', plain).replace("…", "...").split())


def german(sentence: str) -> str:
    """Cleaned, with the quotation marks of German print around what is quoted."""
    return _QUOTED.sub(r"„\1“", clean(sentence))


def _pairs(file: Path) -> Iterator[Pair]:
    for source, target, *_ in text.rows(file):
        yield Pair(clean(source), german(target))


def _plausible(pair: Pair) -> bool:
    words = sorted((len(pair.source.split()), len(pair.target.split())))
    copied = pair.source == pair.target and words[1] > 3
    return not copied and words[1] <= _LONGER * words[0] + 3


def _spelling(sentences: Iterable[str]) -> dict[str, str]:
    """Words in the old or the Swiss spelling -> the usual one, by which of daß and dass is frequent."""
    counts = Counter(word for sentence in sentences for word in _SHARP.findall(sentence))
    variants: dict[str, list[str]] = {}
    for word in counts:
        variants.setdefault(word.replace("ß", "ss"), []).append(word)
    usual: dict[str, str] = {}
    for words in variants.values():
        best = max(words, key=lambda word: counts[word])
        usual |= {word: best for word in words if counts[word] * _FREQUENT <= counts[best]}
    return usual
