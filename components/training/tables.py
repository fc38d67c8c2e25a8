"""Questions about tables, learned from answers alone (Pasupat and Liang 2015, https://arxiv.org/abs/1508.00305)."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from components.tasks.tables.values import normalise


@dataclass(frozen=True)
class Asked:
    """A question about a table, and the answer: one value or several in any order."""

    identity: str
    question: str
    table: str  # its name in the data set
    answers: tuple[str, ...]


@dataclass(frozen=True)
class WikiTables:
    """WikiTableQuestions as published: questions by split, tables by name as (header, rows)."""

    splits: dict[str, list[Asked]]
    tables: dict[str, tuple[list[str], list[list[str]]]]


TRAINING, TEST = "training", "pristine-unseen-tables"


def read(path: Path) -> WikiTables:
    """The archive `wtq.tar.gz`."""
    splits: dict[str, list[Asked]] = {}
    tables = {}
    with tarfile.open(path) as archive:
        for member in archive:
            name = member.name.removeprefix("./")
            file = archive.extractfile(member) if name.endswith((".csv", ".tsv")) else None
            if file is None:
                continue
            content = file.read().decode("utf-8")
            if name.endswith(".csv"):
                # Quotes are escaped by backslashes, unlike in other CSV.
                lines = csv.reader(io.StringIO(content, newline=""), doublequote=False, escapechar="\\")
                header, *rows = lines
                tables[name] = (header, rows)
            else:
                splits[Path(name).stem] = list(_questions(content))
    return WikiTables(splits, tables)


def _questions(content: str) -> Iterator[Asked]:
    for line in content.splitlines()[1:]:
        identity, question, table, answer = line.split("\t")
        yield Asked(identity, _unescape(question), table, tuple(map(_unescape, answer.split("|"))))


def _unescape(text: str) -> str:
    return text.replace("\\n", "\n").replace("\\p", "|").replace("\\\\", "\\")


def held_back(asked: Asked) -> bool:
    """Whether a question of the training file is kept for tuning: those of one table in eight."""
    return hashlib.sha256(asked.table.encode()).digest()[0] < 32


@lru_cache(maxsize=100_000)
def _number(text: str) -> float | None:
    return float(text.replace(",", "")) if re.fullmatch(r"[-+]?(\d[\d,]*)?\.?\d+", text) else None


def same(predicted: Iterable[str], answers: Iterable[str]) -> bool:
    """Whether two answers are the same set, as the data set's own evaluation has it: each value as a
    number if it is one, otherwise normalised text."""
    left = {normalise(value) for value in predicted}
    right = {normalise(value) for value in answers}
    return len(left) == len(right) and all(any(_equal(one, other) for other in left) for one in right)


def _equal(one: str, other: str) -> bool:
    if one == other:
        return True
    first, second = _number(one), _number(other)
    return first is not None and second is not None and abs(first - second) < 1e-6


def exact_match(predicted: Sequence[Sequence[str]], asked: Sequence[Asked]) -> float:
    """The share of questions whose predicted values are the answer."""
    return sum(same(values, one.answers) for values, one in zip(predicted, asked, strict=True)) / len(asked)
