"""What a question says of a table: which cells and numbers it names, and which rows it may mean by that."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from components.tasks.table_question_answering.table import READINGS, Column, Table
from components.tasks.table_question_answering.values import (
    MONTH_NAMES,
    NUMBER_WORDS,
    ORDINAL_WORDS,
    TIMES_WORDS,
    date,
    plain,
    say,
    stem,
    straight,
    token_starts,
    tokens,
    word_set,
)

# Words that name no cell by themselves.
EMPTY_WORDS = word_set("empty")
_BEFORE_LETTERS = word_set("before_letters")
_EMPTY_ROOTS = frozenset(map(stem, EMPTY_WORDS))
_MORE = word_set("more")
_LESS = word_set("less")
_NOT = word_set("not")
_YES_NO = word_set("yes_no")

_COMPARED = word_set("compared")

MOST_CONDITIONS = 16
MOST_COMPARISONS = 16
MOST_PAIRS = 30
MOST_UNIONS = 10

SELECTIONS = (
    "all", "exact", "partial", "alike", "not", "blank", "filled",
    "more", "at_least", "less", "at_most", "between", "both", "either", "or",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in the question: its value, where it stands, whether it is an ordinal."""

    value: float
    at: int
    ordinal: bool
    token: str


@dataclass(frozen=True)
class Question:
    text: str

    @cached_property
    def tokens(self) -> list[str]:
        return tokens(self.text)

    @cached_property
    def starts(self) -> list[int]:
        """Where each token starts in the plain text."""
        return token_starts(self.text)

    @cached_property
    def stems(self) -> list[str]:
        return [stem(token) for token in self.tokens]

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(self.tokens)

    @cached_property
    def written(self) -> list[str]:
        """The tokens with their capitals."""
        text = straight(self.text)
        if len(text) != len(plain(self.text)):  # there are letters that become two in lower case
            return self.tokens
        return [text[at : at + len(token)] for at, token in zip(self.starts, self.tokens, strict=True)]

    @cached_property
    def names(self) -> frozenset[int]:
        """Where a word is a name by its capital: within a sentence, and not where all words have one."""
        capital = [at for at, token in enumerate(self.written) if token[0].isupper()]
        small = [at for at, token in enumerate(self.tokens) if at and token in EMPTY_WORDS and len(token) > 1]
        if small and set(small) <= set(capital):
            return frozenset()
        return frozenset(at for at in capital if at and not self.owns(at) and self._inside(at))

    def _inside(self, at: int) -> bool:
        """Whether a token is a word or a letter by itself and does not begin a sentence."""
        before = plain(self.text)[: self.starts[at]].rstrip(" \"'(")[-1:]
        return before not in tuple(".?!") and (len(self.tokens[at]) > 1 or self._letter(at))

    def owns(self, at: int) -> bool:
        """Whether a token is what follows an apostrophe, as in "Ann's" and "isn't"."""
        return plain(self.text)[: self.starts[at]].endswith("'") and at > 0 and (
            self.starts[at] == self.starts[at - 1] + len(self.tokens[at - 1]) + 1
        )  # fmt: skip

    @cached_property
    def content(self) -> frozenset[int]:
        """Where words stand that may name something; a single letter does by its capital, or after "of"."""
        return frozenset(
            at
            for at, (token, root) in enumerate(zip(self.tokens, self.stems, strict=True))
            if at in self.names
            or self._numbered(at)
            or (token not in "ai" and self._letter(at) and at and self.tokens[at - 1] in _BEFORE_LETTERS)
            or (token not in EMPTY_WORDS and root not in _EMPTY_ROOTS and (len(token) > 1 or token.isdigit()))
        )

    def _numbered(self, at: int) -> bool:
        """Whether a token is the number of a name such as "c1"."""
        return at > 0 and self.tokens[at].isdigit() and self.tokens[at - 1].isalpha() and (
            self.starts[at] == self.starts[at - 1] + len(self.tokens[at - 1])
        )  # fmt: skip

    def _letter(self, at: int) -> bool:
        """Whether a token is a letter by itself, which that of "c1" is not."""
        end = self.starts[at] + 1
        return len(self.tokens[at]) == 1 and self.starts[at + 1 : at + 2] != [end]

    @cached_property
    def bounds(self) -> frozenset[int]:
        """Where numbers stand that rows may be compared with."""
        compared = not self.words.isdisjoint(_MORE | _LESS | {"between", "from"})
        return frozenset(one.at for one in self.quantities) if compared else frozenset()

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        found = []
        for at, token in enumerate(self.tokens):
            if token[0].isdigit():
                ordinal = token[-1].isalpha()
                found.append(Quantity(float(stem(token)), at, ordinal, token))
            elif token in NUMBER_WORDS or token in TIMES_WORDS:
                found.append(Quantity(float({**NUMBER_WORDS, **TIMES_WORDS}[token]), at, False, token))
            elif token in ORDINAL_WORDS:
                found.append(Quantity(float(ORDINAL_WORDS[token]), at, True, token))
        return tuple(quantity for quantity in found if quantity.value < 1e15)

    @cached_property
    def yes_no(self) -> bool:
        return bool(self.tokens) and self.tokens[0] in _YES_NO


@dataclass(frozen=True, slots=True)
class Selection:
    """Rows that the question may mean. `columns` are the ones that were looked at, `said` says it in words.

    `covered`: which of the question's tokens it explains. `exact`, `partial`, `alike`: on how many
    conditions of that kind it rests.
    """

    kind: str
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    said: str
    covered: frozenset[int]
    exact: int = 0
    partial: int = 0
    alike: int = 0
    value: float | None = None
    compares: bool = False  # it uses a number of the question
    parts: tuple[tuple[int, ...], ...] = ()  # the rows of each entity in "or"


def quote(text: str, width: int = 60) -> str:
    text = " ".join(text.split())
    return f"“{text if len(text) <= width else text[: width - 1] + '…'}”"


def called(column: Column) -> str:
    """A column by its name, or what is read of it."""
    name = quote(column.name or f"column {column.index + 1}")
    return name if column.reading == "cell" else READINGS[column.reading][0].format(name)


def selections(table: Table, question: Question) -> list[Selection]:
    """Sets of rows, the whole table first."""
    matches = _matches(table, question)
    compared = _comparisons(table, question)[:MOST_COMPARISONS]
    pairs = [*_between(compared), *_both(matches[:16], compared[:12])][:MOST_PAIRS]
    unions = [*_or(matches[:16]), *_either(matches)][:MOST_UNIONS]
    negated = list(_not(table, matches[:8])) if question.words & _NOT else []
    empty = list(_blank(table))[:8] if question.words & (_NOT | {"any", "have", "has", "had", "zero"}) else []
    everything = Selection("all", table.body, (), "the table", frozenset())
    return [everything, *matches, *compared, *negated, *empty, *pairs, *unions]


def _matches(table: Table, question: Question) -> list[Selection]:
    """Rows where a cell of one column has words of the question in it; the best matches first."""
    found: dict[tuple[int, tuple[int, ...]], Selection] = {}
    matched: set[int] = set()
    for column in table.columns:
        for selection in _column_matches(column, question, table.height):
            key = (column.index, selection.rows)
            if key not in found or _strength(selection) > _strength(found[key]):
                found[key] = selection
            matched |= selection.covered
    for column in table.columns:
        for selection in _column_likes(column, question, question.content - matched, table.height):
            found.setdefault((column.index, selection.rows), selection)
    return sorted(found.values(), key=_strength, reverse=True)[:MOST_CONDITIONS]


def _strength(selection: Selection) -> tuple[float, ...]:
    return (len(selection.covered), selection.exact, -selection.alike, -len(selection.rows))


def _runs(
    cell: Sequence[str], places: dict[str, list[int]], stems: Sequence[str]
) -> Iterator[tuple[int, int]]:
    """Longest stretches [start, end) of the question that stand in the cell."""
    for position, token in enumerate(cell):
        for start in places.get(token, ()):
            if start and position and stems[start - 1] == cell[position - 1]:
                continue  # part of a longer run
            end = start + 1
            while (
                end < len(stems)
                and position + end - start < len(cell)
                and stems[end] == cell[position + end - start]
            ):
                end += 1
            yield start, end


def _column_matches(column: Column, question: Question, height: int) -> Iterator[Selection]:
    stems = question.stems
    places: dict[str, list[int]] = {}
    for at, token in enumerate(stems):
        places.setdefault(token, []).append(at)
    rows_of: dict[tuple[str, ...], list[int]] = {}
    for row, cell in enumerate(column.stems):
        if cell and not places.keys().isdisjoint(cell):
            rows_of.setdefault(cell, []).append(row)
    holding: dict[tuple[int, int], set[int]] = {}
    equal: dict[tuple[int, int], list[int]] = {}
    for cell, rows in rows_of.items():
        for start, end in _runs(cell, places, stems):
            whole = end - start == len(cell)
            if question.content.isdisjoint(range(start, end)):
                continue
            small = end - start == 1 and stems[start].isdigit() and len(stems[start]) < 3
            if small and not whole and (column.kind != "number" or cell[0] != stems[start]):
                continue
            holding.setdefault((start, end), set()).update(rows)
            if whole:
                equal.setdefault((start, end), []).extend(rows)
    for (start, end), rows_holding in holding.items():
        wider = [span for span in holding if span[0] <= start and end <= span[1] and span != (start, end)]
        whole_rows = equal.get((start, end))
        if wider and not whole_rows:
            continue
        covered = question.content.intersection(range(start, end))
        words = quote(" ".join(question.tokens[start:end]))
        if whole_rows and len(whole_rows) < max(2, height):
            said = f"{quote(column.name)} is {words}"
            yield Selection("exact", tuple(sorted(whole_rows)), (column.index,), said, covered, exact=1)
        for span in wider:
            rows_holding = rows_holding | holding[span]
        if set(whole_rows or ()) != rows_holding and len(rows_holding) < max(2, height):
            said = f"{quote(column.name)} has {words}"
            yield Selection("partial", tuple(sorted(rows_holding)), (column.index,), said, covered, partial=1)


def _column_likes(
    column: Column, question: Question, places: frozenset[int], height: int
) -> Iterator[Selection]:
    """ "German" for "Germany": words that begin alike."""
    for at in places:
        word = question.stems[at]
        if len(word) < 4 or not word.isalpha():
            continue
        rows = tuple(
            row
            for row, cell in enumerate(column.stems)
            if any(alike(word, token) for token in cell if len(token) > 3 or len(cell) == 1)
        )
        if rows and len(rows) < max(2, height):
            said = f"{quote(column.name)} has a word like {quote(question.tokens[at])}"
            yield Selection("alike", rows, (column.index,), said, frozenset((at,)), alike=1)


def alike(word: str, token: str) -> bool:
    if len(token) == 3 and token.isalpha():
        return word.startswith(token)
    if len(token) < 4 or word[:4] != token[:4]:
        return False
    common = 4
    while common < min(len(word), len(token)) and word[common] == token[common]:
        common += 1
    return common >= 0.55 * max(len(word), len(token)) or common == len(token)


_DECADE = re.compile(r"\b(1[0-9]{2}0|20[0-9]0)'?s\b")


def _comparisons(table: Table, question: Question) -> list[Selection]:
    bounded = not question.words.isdisjoint(("between", "from"))
    more = bounded or bool(question.words & _MORE)
    less = bounded or bool(question.words & _LESS)
    found: list[Selection] = []
    for decade in _DECADE.findall(plain(question.text)):
        start = int(decade)
        at = frozenset(i for i, token in enumerate(question.tokens) if token.startswith(decade))
        span = 100 if decade.endswith("00") else 10
        for column in table.columns:
            rows = tuple(
                row
                for row, year in enumerate(column.years)
                if year is not None and start <= year < start + span
            )
            if rows and len(rows) < max(2, table.height):
                said = f"{quote(column.name)} is in the {decade}s"
                found.append(Selection("between", rows, (column.index,), said, at, compares=True))
    if not (more or less):
        return found
    asked = date(question.text)
    derived = [column for column in table.derived if column.reading in _COMPARED]
    for column in (*table.columns, *derived):
        if column.kind == "date" and asked and asked.year and asked.day:
            places = frozenset(
                i for i, token in enumerate(question.tokens)
                if (token.isdigit() and int(token) in (asked.year, asked.day))
                or MONTH_NAMES[asked.month - 1].lower().startswith(token)
            )  # fmt: skip
            found += _compare(column, column.measures, asked.key, "that date", places, more, less)
        for quantity in question.quantities:
            year = 1000 <= quantity.value <= 2100 and not quantity.ordinal
            if column.kind == "number" and column.measured:
                measures = column.measures
            elif year and column.reading == "cell" and any(column.years):
                measures = column.years
            else:
                continue
            found += _compare(
                column, measures, quantity.value, say(quantity.value), frozenset((quantity.at,)), more, less
            )
    return found


def _compare(
    column: Column,
    measures: Sequence[float | None],
    value: float,
    words: str,
    places: frozenset[int],
    more: bool,
    less: bool,
) -> Iterator[Selection]:
    known = [(row, measure) for row, measure in enumerate(measures) if measure is not None]
    name = called(column)
    above = tuple(row for row, measure in known if measure > value)
    below = tuple(row for row, measure in known if measure < value)
    same = tuple(row for row, measure in known if measure == value)
    sets = []
    if more:
        sets += [("more", above, f"{name} is above {words}")]
        sets += [("at_least", tuple(sorted(above + same)), f"{name} is {words} or above")] * bool(same)
    if less:
        sets += [("less", below, f"{name} is below {words}")]
        sets += [("at_most", tuple(sorted(below + same)), f"{name} is {words} or below")] * bool(same)
    for kind, rows, said in sets:
        if rows and len(rows) < max(2, len(measures)):
            yield Selection(kind, rows, (column.index,), said, places, value=value, compares=True)


def _between(compared: Sequence[Selection]) -> Iterator[Selection]:
    lower = [one for one in compared if one.kind in ("more", "at_least")]
    upper = [one for one in compared if one.kind in ("less", "at_most")]
    for low in lower:
        for high in upper:
            if (
                low.columns != high.columns
                or low.value is None
                or high.value is None
                or low.value >= high.value
            ):
                continue
            if (low.kind == "at_least") != (high.kind == "at_most"):
                continue
            rows = tuple(sorted(set(low.rows) & set(high.rows)))
            if rows:
                yield Selection(
                    "between", rows, low.columns, f"{low.said} and {high.said}", low.covered | high.covered,
                    compares=True,
                )  # fmt: skip


def _both(matches: Sequence[Selection], compared: Sequence[Selection]) -> Iterator[Selection]:
    """Two conditions at once, where each leaves out rows that the other keeps."""
    singles = [*matches, *compared]
    for first, second in combinations(singles, 2):
        if first.value is not None and second.value is not None:
            continue
        if first.covered & second.covered or (first.columns == second.columns and first.kind != "partial"):
            continue
        rows = tuple(sorted(set(first.rows) & set(second.rows)))
        if rows and len(rows) < len(first.rows) and len(rows) < len(second.rows):
            yield Selection(
                "both",
                rows,
                first.columns + second.columns,
                f"{first.said} and {second.said}",
                first.covered | second.covered,
                first.exact + second.exact,
                first.partial + second.partial,
                first.alike + second.alike,
                compares=first.compares or second.compares,
            )


def _or(matches: Sequence[Selection]) -> Iterator[Selection]:
    """Rows of either of two entities in one column."""
    for first, second in combinations(matches, 2):
        if first.columns != second.columns or first.covered & second.covered:
            continue
        if set(first.rows) & set(second.rows):
            continue
        yield Selection(
            "or",
            tuple(sorted(first.rows + second.rows)),
            first.columns,
            f"{first.said} or {second.said}",
            first.covered | second.covered,
            first.exact + second.exact,
            first.partial + second.partial,
            first.alike + second.alike,
            parts=(first.rows, second.rows),
        )


def _either(matches: Sequence[Selection]) -> Iterator[Selection]:
    """Rows that name one entity in either of two columns, such as guest and host."""
    for first, second in combinations(matches, 2):
        if first.covered != second.covered or first.columns == second.columns:
            continue
        rows = tuple(sorted({*first.rows, *second.rows}))
        if len(rows) > max(len(first.rows), len(second.rows)):
            yield Selection(
                "either",
                rows,
                first.columns + second.columns,
                f"{first.said} or {second.said}",
                first.covered,
                min(first.exact, second.exact),
                max(first.partial, second.partial),
                max(first.alike, second.alike),
            )


def _not(table: Table, matches: Sequence[Selection]) -> Iterator[Selection]:
    for match in matches:
        left = set(match.rows)
        rows = tuple(row for row in range(table.height) if row not in left)
        if rows:
            yield Selection(
                "not", rows, match.columns, f"it is not so that {match.said}", match.covered, match.exact,
                match.partial, match.alike,
            )  # fmt: skip


def _blank(table: Table) -> Iterator[Selection]:
    """Rows that say nothing, or zero, in a column; and the others."""
    for column in table.columns:
        without = tuple(row for row in table.body if column.blank[row] or column.measures[row] == 0)
        if without and len(without) < len(table.body):
            rest = tuple(sorted(set(table.body) - set(without)))
            name = called(column)
            yield Selection("blank", without, (column.index,), f"{name} is empty or zero", frozenset())
            yield Selection("filled", rest, (column.index,), f"{name} is not empty or zero", frozenset())
