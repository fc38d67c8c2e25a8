"""The numbers of a column: one reading for all of its cells, since only together do they show what a comma,
a letter or a pair of parentheses means.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import regex as re

from components.tasks.table_question_answering.values import BLANKS, normalise, plain, say, straight

Mark = Literal[".", ","]

_DATA: Mapping[str, Any] = tomllib.loads(Path(__file__).with_name("units.toml").read_text("utf-8"))
_SCALES: Mapping[str, float] = _DATA["scales"]
_LETTERS: Mapping[str, float] = _DATA["letters"]


def _spellings(name: str) -> set[str]:
    plural = {name, f"{name}s"} if len(name) > 2 else {name}
    return plural | ({one.capitalize() for one in plural} if len(name) > 2 and name.islower() else set())


_UNITS: Mapping[str, Mapping[str, float]] = {
    base: {spelled: factor for name, factor in units.items() for spelled in _spellings(name)}
    for base, units in _DATA["units"].items()
}

_MONEY = rf"(?:us|au?|ca?|nz|hk|r|s|nt)?\p{{Sc}}|\b(?:{'|'.join(_DATA['currencies']['codes'])})\b\.?"
_CELL = re.compile(
    rf"(?P<before>(?:no\.? ?|ca?\. ?|a\.?d\.? |{_MONEY}|[~<>≈≤≥#+=t(\"' -])*)"
    r"(?P<body>\d{1,3}(?:[ ']\d{3})+(?:[.,]\d+)?(?![ ']?\d)|\d+(?:[.,]\d+)*|[.,]\d+)"
    r"(?:e(?P<exponent>[+-]?\d{1,2})(?!\w))?"
    rf"(?P<after>(?: ?(?:{_MONEY}))?(?P<gap> ?)(?P<unit>[^\W\d_]+2?(?:/\p{{L}}+)?)?.*)",
    re.IGNORECASE | re.DOTALL,
)
_SPENT = re.compile(_MONEY, re.IGNORECASE)
_BEFORE_CHRIST = re.compile(r" ?(?:b\.? ?c\.?(?: ?e\.?)?|v\. ?chr\.?)(?!\w)", re.IGNORECASE)
_CLOCK = re.compile(r"^[+~]?(?:(\d{1,3}):)?(\d{1,2}):(\d{2}(?:[.,]\d+)?)(?!\d)")
_UNITS_CLOCK = re.compile(
    r"^[+~]?(?:(\d+) ?(?:h|hours?|hrs?)\b\.? ?)?(?:(\d+) ?(?:'|m|mins?|minutes?)(?![a-z]) ?)?"
    r"(?:(\d+(?:\.\d+)?) ?(?:''|\"|s|secs?|seconds?)(?![a-z]))?"
)
_YEAR = re.compile(r"[12]\d{3}")
_LARGEST = 1e18


@dataclass(frozen=True)
class Numbers:
    """`values`: a number for each cell, or None. `unit`: what they are in, where cells had different units.

    `told`: cells whose number is not what their digits say in English, each with that number.
    `unread`: cells that say something, but no number.
    """

    values: tuple[float | None, ...]
    unit: str
    told: tuple[tuple[str, float], ...]
    unread: tuple[str, ...]


@dataclass(frozen=True)
class _Written:
    """A cell taken apart; `seconds` for a time of day or a duration, which needs no more reading."""

    body: str = ""
    exponent: int = 0
    negative: bool = False
    money: bool = False
    unit: str = ""
    attached: bool = False  # the unit, to the digits
    seconds: float | None = None


def number(text: str) -> float | None:
    """The number that a text by itself starts with: "$1,200", "4th", "-3.5 %", "3.2 million"; a time in
    seconds.
    """
    return numbers((text,)).values[0]


@lru_cache(maxsize=2000)
def numbers(cells: tuple[str, ...]) -> Numbers:
    """The numbers that cells start with."""
    written = [_written(cell) for cell in cells]
    known = [one for one in written if one is not None]
    mark = decimal_mark(known)
    base, factors = _factors(known)
    values = tuple(_value(one, mark, base, factors) if one else None for one in written)
    told, unread = [], []
    for cell, one, value in zip(cells, written, values, strict=True):
        if value is None or one is None:
            if normalise(cell) not in BLANKS:
                unread.append(cell)
        elif (base or one.seconds is None) and _digits(cell) != value:
            told.append((cell, value))
    return Numbers(values, base, tuple(told), tuple(unread))


@lru_cache(maxsize=100_000)
def _written(cell: str) -> _Written | None:
    lower = plain(cell)
    if clock := _CLOCK.match(lower):
        hours, minutes, seconds = clock.groups()
        whole = int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds.replace(",", "."))
        return _Written(seconds=whole)
    if (clock := _UNITS_CLOCK.match(lower)) and sum(map(bool, clock.groups())) >= 2:
        hours, minutes, seconds = clock.groups()
        return _Written(seconds=int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds or 0))
    text = straight(cell)
    found = _CELL.match(text)
    if not found:
        return None
    before, body, after = found["before"], found["body"], found["after"]
    whole_year = bool(_YEAR.fullmatch(body))
    ancient = bool(_BEFORE_CHRIST.match(after)) and body.isdecimal()
    negative = (
        "-" in before
        or ancient
        or (before.lstrip().startswith("(") and after.rstrip().endswith(")") and not whole_year)
        or (after.strip() == "-" and not whole_year)
    )
    return _Written(
        body=body,
        exponent=int(found["exponent"] or 0),
        negative=negative,
        money=bool(_SPENT.search(before) or _SPENT.match(after.strip())),
        unit="" if ancient else found["unit"] or "",
        attached=not found["gap"],
    )


_OTHER: Mapping[Mark, str] = {".": ",", ",": r"\."}
_GROUPED: Mapping[Mark, re.Pattern[str]] = {
    mark: re.compile(
        rf"(?:\d{{1,3}}(?:{other}\d{{3}})+|\d{{1,2}}(?:{other}\d\d)+{other}\d{{3}}|"
        rf"\d{{1,3}}(?:[ ']\d{{3}})+|\d*)(?:{re.escape(mark)}(?P<part>\d+))?"
    )
    for mark, other in _OTHER.items()
}
_OPEN = re.compile(r"[1-9]\d{0,2}([.,])\d{3}")  # thousands with the one mark, thousandths with the other


def decimal_mark(cells: Sequence[_Written]) -> Mark:
    """What begins the decimals of a column: what most cells allow alone; a point where they leave it open,
    but for sums of money, which have no thousandths.
    """
    votes: Counter[Mark] = Counter()
    open_points = money = 0
    for cell in cells:
        if found := _OPEN.fullmatch(cell.body):
            open_points += found[1] == "."
            money += cell.money and found[1] == "."
            continue
        fits: list[Mark] = [
            mark
            for mark, pattern in _GROUPED.items()
            if not cell.body.isdecimal() and pattern.fullmatch(cell.body)
        ]
        if len(fits) == 1:
            votes[fits[0]] += 1
    if not votes:
        return "," if money and money == open_points else "."
    return "," if votes[","] > votes["."] else "."


def _factors(cells: Sequence[_Written]) -> tuple[str, Mapping[str, float]]:
    """The unit of a column whose cells have different ones of one quantity, and what each counts in it."""
    found = {cell.unit or ("s" if cell.seconds is not None else "") for cell in cells} - {""}
    if len(found) > 1:
        for base, units in _UNITS.items():
            if found <= units.keys():
                return base, units
    letters = {one.lower() for one in found if one.lower() in _LETTERS}
    several = len(letters | {one for one in found if one.lower() in _SCALES}) > 1
    factors = {}
    for cell in cells:
        word = cell.unit.lower().removesuffix("s") if len(cell.unit) > 3 else cell.unit.lower()
        if word in _SCALES:
            factors[cell.unit] = _SCALES[word]
        elif word in _LETTERS and (
            several or cell.money or (cell.attached and (cell.unit in "KMB" or cell.unit == "k"))
        ):
            factors[cell.unit] = _LETTERS[word]
    return "", factors


def _value(cell: _Written, mark: Mark, base: str, factors: Mapping[str, float]) -> float | None:
    if cell.seconds is not None:
        return cell.seconds
    digits = _read(cell.body, mark)
    if digits is None or (base and cell.unit not in factors):
        return None
    value = digits * 10.0**cell.exponent * factors.get(cell.unit, 1.0)
    value = float(f"{value:.15g}")  # 1.2 million, not 1199999.9999999998
    return None if value >= _LARGEST else -value if cell.negative else value


def _read(body: str, mark: Mark) -> float | None:
    found = _GROUPED[mark].fullmatch(body)
    if not found:
        return None
    part = found["part"]
    whole = body.removesuffix(f"{mark}{part}") if part else body
    return float("".join(filter(str.isdecimal, whole)) + (f".{part}" if part else "") or "0")


def _digits(cell: str) -> float | None:
    """What a cell's digits say in English, without regard to other cells and to what follows."""
    found = _CELL.match(straight(cell))
    value = (
        _read(found["body"], ".") if found and "'" not in found["body"] and " " not in found["body"] else None
    )
    return -value if value is not None and found and "-" in found["before"][-1:] else value


def explain(name: str, found: Numbers) -> list[str]:
    """How a column was read, where that may surprise; `name` is quoted already."""
    notes = []
    if found.told:
        shown = ", ".join(f"“{' '.join(cell.split())}” as {say(value)}" for cell, value in found.told[:3])
        unit = f" (in {found.unit})" if found.unit else ""
        notes.append(f"{name} is read as numbers{unit}: {shown}{', …' if len(found.told) > 3 else ''}.")
    if found.unread:
        shown = ", ".join(f"“{' '.join(cell.split())[:40]}”" for cell in found.unread[:3])
        more = f" and {len(found.unread) - 3:,} more" if len(found.unread) > 3 else ""
        notes.append(f"Not read as numbers in {name}, and left out: {shown}{more}.")
    return notes
