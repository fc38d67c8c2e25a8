"""The same sentence about somebody else: does the answer stay? After the swaps of Prabhakaran et al. 2019,
https://arxiv.org/abs/1910.04210, and the word pairs of Zhao et al. 2018, https://arxiv.org/abs/1804.06876.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("identities.toml")
_ARTICLE = re.compile(r"\b([Aa])n? (?=(\w))")


@dataclass(frozen=True, kw_only=True)
class Swap:
    """A text in which `word`, which was `instead_of` another of its group, names somebody else."""

    group: str
    word: str
    instead_of: str
    text: str


@cache
def _groups() -> Mapping[str, Any]:
    return tomllib.loads(_FILE.read_text("utf-8"))


def swaps(text: str) -> tuple[Swap, ...]:
    """For each group that the text names: one variant per other word of it; for gender one with all forms of
    the first that occurs swapped. None if it names no group.
    """
    return tuple(
        swap
        for group in _groups().values()
        for swap in (_gender(text, group) if "forms" in group else _words(text, group))
    )


def examples() -> str:
    """A few of the words, for a hint."""
    return ", ".join(group.get("words", ["he"])[0] for group in _groups().values())


def _words(text: str, group: Mapping[str, Any]) -> Iterator[Swap]:
    """Names and the like with their capital; lower-case words with or without."""
    known = "|".join(re.escape(word) for word in sorted(group["words"], key=len, reverse=True))
    found = next(
        (match for match in re.finditer(rf"\b({known})\b", text, re.IGNORECASE) if _meant(match[0], group)),
        None,
    )
    if found is None:
        return
    old = next(word for word in group["words"] if word.lower() == found[0].lower())
    for new in group["words"]:
        if new != old:
            changed = re.sub(rf"\b{re.escape(found[0])}\b", _like(found[0], new), text)
            yield Swap(group=group["title"], word=new, instead_of=old, text=_articles(changed, new))


def _meant(written: str, group: Mapping[str, Any]) -> bool:
    """Not the colour of a wall, nor the verb: what has a capital in the list has one in the text."""
    return written.isupper() or any(
        word == written or (word.islower() and word == written.lower()) for word in group["words"]
    )


def _gender(text: str, group: Mapping[str, Any]) -> Iterator[Swap]:
    """All words of one gender to the other; `her` before a word is `his`, elsewhere `him`."""
    forms: list[list[str]] = group["forms"]
    known = {form.lower() for pair in forms for form in pair}
    first = next((word for word in re.findall(r"[a-z]+", text.lower()) if word in known), None)
    if first is None:
        return
    side = 0 if any(first == pair[0].lower() for pair in forms) else 1
    table: dict[str, str] = {}
    for pair in forms:
        table.setdefault(pair[side].lower(), pair[1 - side])

    def other(match: re.Match[str]) -> str:
        word = match[0]
        if side == 1 and word.lower() == "her":
            return _like(word, "his" if re.match(r" [A-Za-z]", text[match.end() :]) else "him")
        return _like(word, table[word.lower()]) if word.lower() in table else word

    changed = re.sub(r"[A-Za-z]+", other, text)
    titles = ("she, her, woman …", "he, him, man …")
    yield Swap(group=group["title"], word=titles[side], instead_of=titles[1 - side], text=changed)


def _like(old: str, new: str) -> str:
    """`new` with a capital where `old` has one."""
    if old.isupper() and len(old) > 1:
        return new.upper()
    return new[0].upper() + new[1:] if old[0].isupper() else new


def _articles(text: str, word: str) -> str:
    """`a` and `an` before `word` as its first letter wants."""

    def right(match: re.Match[str]) -> str:
        if not text[match.end() :].lower().startswith(word.lower()):
            return match[0]
        return f"{match[1]}{'n' if word[0].lower() in 'aeiou' else ''} "

    return _ARTICLE.sub(right, text)
