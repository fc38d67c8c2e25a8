"""More pairs of sentences from those there are: other names and numbers, joined sentences, no capitals.

A name or number that both sides share is copied in translation, whatever it is. With another in its place
in each epoch, a network learns to copy what it has never seen.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

from components.training.parallel import Pair

_NAME = re.compile(r"\b[A-ZÄÖÜ][a-zäöüßéèáíóçñ]{2,}\b")
_NUMBER = re.compile(r"\d[\d.,]*\d|\d")
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True)
class Names:
    """Names to put in place of others: those that occur, and ones made up of their letters."""

    known: Sequence[str]

    def __contains__(self, name: object) -> bool:
        return name in self._set

    @cached_property
    def _set(self) -> frozenset[str]:
        return frozenset(self.known)

    @cached_property
    def _after(self) -> dict[str, str]:
        """Two letters -> the letters that come next in names, as often as they do; a space ends one."""
        after: dict[str, str] = {}
        for name in self.known:
            padded = f"  {name} "
            for start in range(len(name) + 1):
                pair = padded[start : start + 2]
                after[pair] = after.get(pair, "") + padded[start + 2]
        return after

    def draw(self, random: Random) -> str:
        return random.choice(self.known) if random.random() < 0.5 else self.invented(random)

    def invented(self, random: Random) -> str:
        """A name of 3 to 12 letters whose threes of letters all occur in names."""
        while True:
            name = ""
            while not name.endswith(" ") and len(name) < 13:
                name += random.choice(self._after[f"  {name}"[-2:]])
            if name.endswith(" ") and len(name) >= 4:
                return name[:-1]


def names(pairs: Iterable[Pair]) -> Names:
    """The words with a capital that some pair has on both sides, and that are no words without it."""
    shared: Counter[str] = Counter()
    small: Counter[str] = Counter()
    for pair in pairs:
        shared.update(set(_NAME.findall(pair.source)) & set(_NAME.findall(pair.target)))
        small.update(word for word in pair.source.split() if word.islower())
    return Names(sorted(name for name, count in shared.items() if small[name.lower()] * 10 < count))


def swapped(pair: Pair, names: Names, random: Random) -> Pair:
    """The pair with other names and numbers where both sides have the same."""
    source, target = pair.source, pair.target
    for name in dict.fromkeys(_NAME.findall(source)):
        if name not in names:
            continue
        in_source = re.compile(rf"\b{name}\b")
        in_target = re.compile(rf"\b{name}(?=s?\b)")
        if len(in_source.findall(source)) == len(in_target.findall(target)):
            other = names.draw(random)
            source, target = in_source.sub(other, source), in_target.sub(other, target)
    return _renumbered(Pair(source, target), random)


def _renumbered(pair: Pair, random: Random) -> Pair:
    """Other digits in numbers of two or more digits that both sides share, however they group them."""
    digits = ["".join(_DIGIT.findall(number)) for number in _NUMBER.findall(pair.source)]
    others = ["".join(_DIGIT.findall(number)) for number in _NUMBER.findall(pair.target)]
    new = {
        number: str(random.randint(1, 9)) + "".join(str(random.randint(0, 9)) for _ in number[1:])
        for number in digits
        if len(number) > 1 and number[0] != "0" and digits.count(number) == others.count(number)
    }

    def renumber(match: re.Match[str]) -> str:
        number = "".join(_DIGIT.findall(match[0]))
        following = iter(new.get(number, number))
        return _DIGIT.sub(lambda _: next(following), match[0])

    return Pair(_NUMBER.sub(renumber, pair.source), _NUMBER.sub(renumber, pair.target))


def joined(first: Pair, second: Pair) -> Pair:
    return Pair(f"{first.source} {second.source}", f"{first.target} {second.target}")


def small(pair: Pair) -> Pair:
    """The source without capitals, as many people type."""
    return Pair(pair.source.lower(), pair.target)
