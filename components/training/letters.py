"""Sentences of letters in English and German, made of those in `letters.toml` and of names."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from components.training.parallel import Pair, german
from components.training.variety import Names, joined

_FILE = Path(__file__).with_name("letters.toml")
_SLOT = re.compile(r"\{(?:(\w+) )?(\w+)\}")
_NOUNS = ("item", "thing")
_PRONOUNS = ("er", "welchen")


@dataclass(frozen=True)
class Noun:
    english: str
    german: str
    gender: str  # m, f or n


@dataclass(frozen=True)
class Letters:
    """What `letters.toml` has: templates and what is put into them, each as English and German."""

    templates: Sequence[tuple[str, str]]
    nouns: Sequence[Noun]
    lists: dict[str, Any]

    def draw(self, names: Names, random: Random) -> Pair:
        """A sentence, or two that follow each other by chance."""
        pair = self._sentence(names, random)
        return joined(pair, self._sentence(names, random)) if random.random() < 0.3 else pair

    def _sentence(self, names: Names, random: Random) -> Pair:
        source, target = random.choice(self.templates)
        words = self._words(names, random)
        nouns = dict(zip(_NOUNS, random.sample(self.nouns, 2), strict=True))

        def english(match: re.Match[str]) -> str:
            before, slot = match.groups()
            if slot not in nouns:
                return words[slot][0]
            noun = nouns[slot].english
            return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}" if before else noun

        def deutsch(match: re.Match[str]) -> str:
            before, slot = match.groups()
            if slot not in nouns:
                return words[slot][1]
            article = self.lists["before"][before][nouns[slot].gender]
            return article if before in _PRONOUNS else f"{article} {nouns[slot].german}"

        return Pair(_capital(_SLOT.sub(english, source)), german(_capital(_SLOT.sub(deutsch, target))))

    def _words(self, names: Names, random: Random) -> dict[str, tuple[str, str]]:
        """Something for each slot, in both languages."""

        def either(name: str) -> tuple[str, str]:
            source, target = random.choice(self.lists[name]).split("|")
            return source, target

        same = {slot: names.draw(random) for slot in ("first", "last", "other", "city", "town")}
        made = random.choice([names.draw, names.invented])(random)
        model = f"{random.choice(['', str(random.randint(2, 9999))])} {random.choice(self.lists['models'])}"
        year = random.randint(1950, 2028)
        month, unit, hour = either("months"), either("units"), random.randint(0, 23)
        number, day, minute = random.randint(2, 3000), random.randint(1, 31), random.choice((0, 15, 30, 45))
        same |= {
            "name": f"{same['first']} {same['last']}",
            "company": f"{names.draw(random)} {random.choice(self.lists['ends'])}".strip(),
            "product": " ".join(f"{made} {model}".split()),
            "year": str(year),
            "later": str(year + random.randint(1, 9)),
            "code": f"{random.choice(['', 'A', 'KX-', 'NR'])}{random.randint(100, 9_999_999)}",
            "time": f"{hour}:{minute:02}",
            "small": str(random.randint(2, 9)),
        }
        on = random.choice([f"{day} {month[0]}", f"{month[0]} {day}"])
        return {
            **{slot: (word, word) for slot, word in same.items()},
            **{slot: either(f"{slot}s") for slot in ("day", "span", "job")},
            "date": random.choice(
                [(on, f"{day}. {month[1]}"), (f"{day} {month[0]} {year}", f"{day}. {month[1]} {year}")]
            ),
            "amount": (f"{number} {unit[0]}", f"{number} {unit[1]}"),
            "count": (f"{number * 37:,}", f"{number * 37:,}".replace(",", ".")),
        }


def letters() -> Letters:
    lists = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    halves = [sentence.split("|") for sentence in lists.pop("sentences")]
    return Letters(
        templates=[(source, target) for source, target in halves],
        nouns=[Noun(*noun.split("|")) for noun in lists.pop("items")],
        lists=lists,
    )


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
