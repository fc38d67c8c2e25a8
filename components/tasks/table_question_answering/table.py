"""A table whose columns know what their cells say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from components.tasks.table_question_answering.numbers import Numbers, numbers
from components.tasks.table_question_answering.values import (
    BLANKS,
    MONTH_NAMES,
    date,
    normalise,
    plain,
    say,
    stems,
    years,
)

Kind = Literal["number", "date", "text"]


@dataclass(frozen=True, eq=False)
class Column:
    """One column, as written (`reading` is "cell") or one thing that its cells say (see `READINGS`).

    `index` is the place in the table of the column that is read. `measures` orders the cells: numbers,
    seconds, or days; None for a cell without one.
    """

    index: int
    name: str
    cells: tuple[str, ...]
    reading: str = "cell"

    @cached_property
    def plain(self) -> tuple[str, ...]:
        return tuple(map(normalise, self.cells))

    @cached_property
    def blank(self) -> tuple[bool, ...]:
        return tuple(cell in BLANKS for cell in self.plain)

    @cached_property
    def stems(self) -> tuple[tuple[str, ...], ...]:
        return tuple(map(stems, self.cells))

    @cached_property
    def name_stems(self) -> tuple[str, ...]:
        return stems(self.name)

    @cached_property
    def kind(self) -> Kind:
        filled = max(1, len(self.cells) - sum(self.blank))
        if sum(date(cell) is not None for cell in self.cells) >= 0.6 * filled:
            return "date"
        found = sum(value is not None for value in self.numbers.values)
        return "number" if found >= 0.5 * filled else "text"

    @cached_property
    def numbers(self) -> Numbers:
        return numbers(self.cells)

    @cached_property
    def measures(self) -> tuple[float | None, ...]:
        if self.kind == "date":
            return tuple(found.key if (found := date(cell)) else None for cell in self.cells)
        if self.kind == "number":
            return self.numbers.values
        return (None,) * len(self.cells)

    @cached_property
    def measured(self) -> bool:
        """Whether rows can be ordered by it: at least two different measures."""
        return len({measure for measure in self.measures if measure is not None}) > 1

    @cached_property
    def years(self) -> tuple[int | None, ...]:
        """The first year that each cell names."""
        return tuple(found[0] if (found := years(cell)) else None for cell in self.cells)

    @cached_property
    def counts_up(self) -> bool:
        """1, 2, 3, ...: a rank or a running number."""
        return (
            self.kind == "number"
            and self.measures[0] == 1
            and all(measure is None or measure <= row + 1 for row, measure in enumerate(self.measures))
        )


_PARENTHESES = re.compile(r"\(([^()]+)\)")
_TWO_NUMBERS = re.compile(r"(?<!\d)(\d{1,3})(?: ?\([^)]*\))? ?[-:] ?(?:\([^)]*\) ?)?(\d{1,3})(?![\d:.-])")
_ASIDE_FIRST = re.compile(r"^(?:(?:at|vs?)\b\.?|@)\s*", re.IGNORECASE)


def _year(cell: str) -> str | None:
    found = years(cell)
    return str(found[0]) if found else None


def _month(cell: str) -> str | None:
    day = date(cell)
    return MONTH_NAMES[day.month - 1] if day else None


def _score(cell: str) -> tuple[int, int] | None:
    """Two small numbers with a hyphen or colon between them."""
    found = _TWO_NUMBERS.search(plain(cell))
    return (int(found[1]), int(found[2])) if found and not date(cell) and not years(cell) else None


def _of_score(compute: Callable[[int, int], int]) -> Callable[[str], str | None]:
    def read(cell: str) -> str | None:
        score = _score(cell)
        return str(compute(*score)) if score else None

    return read


def _inside(cell: str) -> str | None:
    found = _PARENTHESES.findall(cell)
    return str(found[-1]) if found else None


def _bare(cell: str) -> str | None:
    return cell[found.end() :] if (found := _ASIDE_FIRST.match(cell)) else cell


def _span(cell: str) -> str | None:
    found = years(cell)
    return str(found[-1] - found[0]) if len(found) == 2 and found[-1] >= found[0] else None


READINGS: Mapping[str, tuple[str, Callable[[str], str | None]]] = {
    "year": ("the year in {}", _year),
    "month": ("the month in {}", _month),
    "number": ("the number in {}", str),
    "first_score": ("the first number in {}", _of_score(lambda first, second: first)),
    "second_score": ("the second number in {}", _of_score(lambda first, second: second)),
    "margin": ("the difference of the numbers in {}", _of_score(lambda first, second: abs(first - second))),
    "total": ("the sum of the numbers in {}", _of_score(lambda first, second: first + second)),
    "span": ("the years from start to end in {}", _span),
    "inside": ("what stands in parentheses in {}", _inside),
    "before_comma": ("what stands before the comma in {}", lambda cell: cell.split(",")[0].strip()),
    "after_comma": ("what stands after the comma in {}", lambda cell: cell.split(",")[-1].strip()),
    "first_line": ("the first line of {}", lambda cell: cell.split("\n")[0].strip()),
    "last_line": ("the last line of {}", lambda cell: cell.split("\n")[-1].strip()),
    "bare": ("{} without “at” or “vs.”", _bare),
}
"""What else than its whole text a cell may say: how that is put into words, and how it is read; a number is
read with the others of its column."""

_NEEDS = {
    "before_comma": ",",
    "after_comma": ",",
    "first_line": "\n",
    "last_line": "\n",
    "inside": "(",
}


def _derived(column: Column) -> Iterator[Column]:
    """What the cells of a column say in parts, where most of them do and it is not the whole text."""
    filled = sum(not blank for blank in column.blank)
    for reading, (_, read_part) in READINGS.items():
        needed = _NEEDS.get(reading)
        if needed and sum(needed in cell for cell in column.cells) < max(1, 0.4 * filled):
            continue
        if reading == "number":
            parts = [say(value) if value is not None else None for value in column.numbers.values]
        else:
            parts = [
                None if blank else read_part(cell)
                for cell, blank in zip(column.cells, column.blank, strict=True)
            ]
        found = sum(part is not None for part in parts)
        if found < max(1, 0.4 * filled):
            continue
        cells = tuple(part or "" for part in parts)
        if all(part == cell.strip() for part, cell in zip(cells, column.cells, strict=True) if part):
            continue
        if reading == "bare" and sum(map(str.__ne__, cells, column.cells)) < 0.2 * filled:
            continue
        yield Column(column.index, column.name, cells, reading)


@dataclass(frozen=True, eq=False)
class Table:
    """At least one column and one row; every row is as long as `columns`."""

    columns: tuple[Column, ...]
    height: int

    @cached_property
    def derived(self) -> tuple[Column, ...]:
        return tuple(part for column in self.columns for part in _derived(column))

    @cached_property
    def body(self) -> tuple[int, ...]:
        """The rows without those at the end that sum up the others."""
        end = self.height
        while end > 1 and self._sums_up(end - 1):
            end -= 1
        return tuple(range(end))

    def _sums_up(self, row: int) -> bool:
        first = (column.plain[row] for column in self.columns[:3])
        return any(cell.startswith(("total", "grand total", "career total")) for cell in first)


def read(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table from its header and its rows of cells."""
    columns = tuple(
        Column(index, name, tuple(row[index] for row in rows)) for index, name in enumerate(names)
    )
    return Table(columns, len(rows))
