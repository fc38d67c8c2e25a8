"""What a cell says: its plain text, numbers, times and dates."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_WORDS: Mapping[str, str] = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
BLANKS = frozenset({"", "-", "--", "---", "n/a", "na", "?", "tba", "tbd", "none", "nil", "unknown"})

_QUOTES = str.maketrans(
    {**dict.fromkeys("‘’´`", "'"), **dict.fromkeys("“”", '"'), **dict.fromkeys("‐‑‒–—−", "-")}
)
_MARKS = re.compile(r"((?<!^)\[[^\]]*\]|\[\d+\]|[•♦†‡*#+])*$")
_ASIDE = re.compile(r"(?<!^)( \([^)]*\))*$")
_QUOTED = re.compile(r'^"([^"]*)"$')


def word_set(name: str) -> frozenset[str]:
    """The words of that name in words.toml."""
    return frozenset(_WORDS[name].split())


def straight(text: str) -> str:
    """Without diacritics, with straight quotes and hyphens, single spaces."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text.translate(_QUOTES))
        text = "".join(c for c in decomposed if unicodedata.category(c) != "Mn").translate(_QUOTES)
    return " ".join(text.replace("`", "'").split())


def plain(text: str) -> str:
    """As `straight`, in lower case."""
    return straight(text).lower()


@lru_cache(maxsize=100_000)
def normalise(text: str) -> str:
    """As WikiTableQuestions compares answers (Pasupat and Liang 2015): `plain`, and without footnote
    marks and remarks in parentheses at the end, quotation marks around it, and a final full stop."""
    text = plain(text)
    before = None
    while before != text:
        before = text
        text = _MARKS.sub("", text.strip())
        text = _ASIDE.sub("", text.strip())
        text = _QUOTED.sub(r"\1", text.strip())
    return " ".join(text.removesuffix(".").split())


_TOKEN = re.compile(r"\d+(?:,\d{3})+(?:\.\d+)?|\d+\.\d+|\d+(?:st|nd|rd|th)\b|\d+|[^\W\d_]+")

_CARDINALS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
]
_ORDINALS = [
    "zeroth",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
]
NUMBER_WORDS = {word: number for number, word in enumerate(_CARDINALS)}
ORDINAL_WORDS = {word: number for number, word in enumerate(_ORDINALS)} | {"eleventh": 11, "twelfth": 12}
TIMES_WORDS = {"once": 1, "twice": 2, "thrice": 3}


@lru_cache(maxsize=100_000)
def stem(token: str) -> str:
    """What two tokens share that mean the same here: numbers in digits, words without plural or -'s."""
    if token[0].isdigit():
        return token.replace(",", "").rstrip("stndrh") if token[-1].isalpha() else token.replace(",", "")
    number = NUMBER_WORDS.get(token, ORDINAL_WORDS.get(token))
    if number is not None:
        return str(number)
    if len(token) > 4 and token.endswith("ies"):
        return token[:-3] + "y"
    if len(token) > 3 and token.endswith("s") and not token.endswith("ss"):
        return token[:-1]
    return token


def tokens(text: str) -> list[str]:
    return _TOKEN.findall(plain(text))


def token_starts(text: str) -> list[int]:
    """Where each of `tokens(text)` starts in `plain(text)`."""
    return [found.start() for found in _TOKEN.finditer(plain(text))]


@lru_cache(maxsize=100_000)
def stems(text: str) -> tuple[str, ...]:
    return tuple(map(stem, tokens(text)))


_MONTHS = {
    name: number
    for number, names in enumerate(
        [
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sep sept",
            "october oct",
            "november nov",
            "december dec",
        ],
        start=1,
    )
    for name in names.split()
}
MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_MONTH = "(" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\b\.?"
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(\d{4})"
_DATES = (
    (re.compile(rf"\b{_MONTH} {_DAY}(?: ?- ?(?:{_MONTH} )?\d{{1,2}})?,? {_YEAR}\b"), "md-y"),
    (re.compile(rf"\b{_DAY}(?: ?- ?\d{{1,2}})?[ -](?:of )?{_MONTH},?[ -]{_YEAR}\b"), "dmy"),
    (re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b"), "ymd"),
    (re.compile(r"\b(\d{1,2})[/.](\d{1,2})[/.](\d{4})\b"), "numeric"),
    (re.compile(rf"\b{_MONTH},? {_YEAR}\b"), "my"),
    (re.compile(rf"\b{_MONTH} {_DAY}\b"), "md"),
    (re.compile(rf"\b{_DAY}[ -]{_MONTH}"), "dm"),
    (re.compile(rf"^{_MONTH}$"), "m"),
)


@dataclass(frozen=True, slots=True)
class Date:
    """Parts that a cell does not say are None; at least a month is known."""

    year: int | None
    month: int
    day: int | None

    @property
    def key(self) -> float:
        """Days, roughly, for ordering."""
        return (self.year or 0) * 372 + self.month * 31 + (self.day or 0)


def _month(name: str) -> int:
    return _MONTHS[name.rstrip(".")]


@lru_cache(maxsize=100_000)
def date(text: str) -> Date | None:
    """The first date in a text that names a month."""
    text = plain(text)
    for pattern, order in _DATES:
        found = pattern.search(text)
        if not found:
            continue
        groups = found.groups()
        match order:
            case "md-y":
                parts = Date(int(groups[3]), _month(groups[0]), int(groups[1]))
            case "dmy":
                parts = Date(int(groups[2]), _month(groups[1]), int(groups[0]))
            case "ymd":
                parts = Date(int(groups[0]), int(groups[1]), int(groups[2]))
            case "numeric":
                first, second = int(groups[0]), int(groups[1])
                day, month = (first, second) if second <= 12 else (second, first)
                parts = Date(int(groups[2]), month, day)
            case "my":
                parts = Date(int(groups[1]), _month(groups[0]), None)
            case "md":
                parts = Date(None, _month(groups[0]), int(groups[1]))
            case "dm":
                parts = Date(None, _month(groups[1]), int(groups[0]))
            case _:
                parts = Date(None, _month(groups[0]), None)
        if 1 <= parts.month <= 12 and (parts.day or 1) <= 31:
            return parts
    return None


@lru_cache(maxsize=100_000)
def years(text: str) -> tuple[int, ...]:
    """Years in a text in order; in "1998-99" the second is 1999."""
    return tuple(_years(plain(text)))


_YEARS = re.compile(r"\b(1[0-9]{3}|20[0-9]{2})(?:s\b)?(?:[-/](\d{2})(?!\d|-))?(?!\d| ?b\.? ?c)")


def _years(text: str) -> Iterator[int]:
    for found in _YEARS.finditer(text):
        year = int(found[1])
        yield year
        if found[2]:
            end = year // 100 * 100 + int(found[2])
            if end > year:
                yield end


def say(value: float) -> str:
    """A computed number as an answer: no needless digits, no exponent."""
    return f"{round(value, 6):f}".rstrip("0").rstrip(".") if value != int(value) else str(int(value))
