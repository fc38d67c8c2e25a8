"""Short programs over a table that a question may mean, each with its answer.

Candidates are enumerated, not generated: a selection of rows, what is picked from it, and what is read
off, in the spirit of Pasupat and Liang 2015 (https://arxiv.org/abs/1508.00305).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, islice

from components.tasks.table_question_answering.questions import (
    SELECTIONS,
    Question,
    Selection,
    called,
    selections,
)
from components.tasks.table_question_answering.table import READINGS, Column, Table
from components.tasks.table_question_answering.values import BLANKS, normalise, plain, say, word_set

OPERATIONS = (
    "read", "first", "last", "nth", "top", "next", "previous", "largest", "smallest", "same_as",
    "count", "count_different", "count_same", "count_after", "count_before", "count_between",
    "count_difference", "count_frequent", "frequent", "most_common", "least_common", "highest_count",
    "position", "sum", "average", "range", "sum_difference", "column_difference",
    "header_largest", "header_smallest", "header", "yes", "no",
)  # fmt: skip
GIVES = ("number", "text", "date", "several", "zero", "years")
ROLES = ("answer", "order", "match", "compare")
WORDS = ("matched", "compared", "answer", "order")
COMPARED = ("more", "at_least", "less", "at_most", "between")
LABELS = (
    *(f"operation:{name}" for name in OPERATIONS),
    *(f"rows:{name}" for name in SELECTIONS),
    *(f"answer:{name}" for name in ("cell", *READINGS)),
    *(f"order:{name}" for name in ("cell", *READINGS)),
    *(f"gives:{name}" for name in GIVES),
    *(f"column:{name}" for name in ROLES),
    *(f"word:{name}" for name in WORDS),
)
LABEL_IDS = {name: index for index, name in enumerate(LABELS)}

_STEP_WORDS = word_set("step")
_SAME_WORDS = word_set("same")
_HOW_MANY = word_set("how_many")
_ASKED: Mapping[str, frozenset[str]] = {
    "year": word_set("asked_year"),
    "month": word_set("asked_month"),
    "number": _HOW_MANY,
    "first_score": _HOW_MANY | {"highest", "lowest", "most", "least", "fewest"},
    "second_score": _HOW_MANY | {"highest", "lowest", "most", "least", "fewest"},
    "margin": word_set("asked_margin"),
    "total": word_set("asked_total"),
    "span": word_set("asked_span"),
}
"""Readings that are tried only where the question has one of these words."""
_HIGH_WORDS = word_set("high")
_LOW_WORDS = word_set("low")
_SUM_WORDS = word_set("sum")
_ONE_ROW = word_set("one_row")
_CALCULATED = {"sum": {"sum"}, "average": {"average", "mean"}}
_RANKS = word_set("ranks")
_VARIES = re.compile(r"\d+|\b[^\W\d_]\b")  # what tells columns of one kind apart: c1 and c2, A and B
_NO_MARKS = str.maketrans(dict.fromkeys("?!.,;:\"'()[]", " "))

_MOST_COLUMNS = 14
_MOST_ORDERS = 7
MOST_PROGRAMS = 4000
_MOST_CELLS = 12  # more than that many values are no answer

FEATURES = (
    "covered", "consistent", "exact", "partial", "alike", "single_row", "share_of_rows", "numeral_match",
    "match_named", "compare_named", "explained", "unexplained_matches", "two_conditions",
    "answer_named", "answer_named_whole", "answer_named_apart", "answer_after_wh", "answer_is_match",
    "answer_first_column", "answer_first_text", "answer_counts_up", "answer_number", "answer_date",
    "how_many_text", "order_named", "order_named_whole", "order_named_apart", "order_is_match",
    "order_counts_up", "order_is_answer",
    "one_value", "few_values", "many_values", "in_question", "blank", "zero", "one", "every_row",
    "derived", "ties", "uses_quantity", "quantity_left", "pieces",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Program:
    """`answer`: the column that is read. `order`: the one that rows are compared by. `picked`: the rows
    that are read or counted. `values`: the answer, more than one for a list."""

    operation: str
    selection: Selection
    answer: Column | None
    order: Column | None
    picked: tuple[int, ...]
    values: tuple[str, ...]
    gives: str
    quantity: int | None = None

    @property
    def text(self) -> str:
        return ", ".join(" ".join(value.split()) for value in self.values)

    @property
    def cells(self) -> list[tuple[int, int]]:
        """(row, column) of what the answer was read or computed from."""
        column = self.answer or self.order
        if self.operation == "column_difference" and self.answer and self.order:
            columns: tuple[int, ...] = (self.answer.index, self.order.index)
        else:
            columns = (column.index,) if column else tuple(dict.fromkeys(self.selection.columns)) or (0,)
        return [(row, index) for row in self.picked for index in columns]

    def labels(self) -> tuple[int, ...]:
        """Ids of the five labels of the whole question, -1 for none."""
        return (
            LABEL_IDS[f"operation:{self.operation}"],
            LABEL_IDS[f"rows:{self.selection.kind}"],
            LABEL_IDS[f"gives:{self.gives}"],
            LABEL_IDS[f"answer:{self.answer.reading}"] if self.answer else -1,
            LABEL_IDS[f"order:{self.order.reading}"] if self.order else -1,
        )

    def roles(self) -> tuple[int, ...]:
        """Columns as answer, order, match, second match, compare; -1 for none."""
        match = list(self.selection.columns)
        compare = -1
        if self.selection.kind in COMPARED:
            compare, match = match[0], []
        return (
            self.answer.index if self.answer else -1,
            self.order.index if self.order else -1,
            match[0] if match else -1,
            match[1] if len(match) > 1 else -1,
            compare,
        )

    @property
    def explanation(self) -> str:
        """In words, naming columns and values."""
        rows = self.selection.said
        where = "the table" if self.selection.kind == "all" else f"the rows where {rows}"
        what = answer = called(self.answer) if self.answer else ""
        order = called(self.order) if self.order else ""
        texts = {
            "read": f"{what} in {where}",
            "first": f"{what} in the first row of {where}",
            "last": f"{what} in the last row of {where}",
            "nth": f"{what} in row {self.quantity} of {where}",
            "top": f"{what} in the first {self.quantity} rows of {where}",
            "next": f"{what} in the row after {where}",
            "previous": f"{what} in the row before {where}",
            "largest": f"{what} where {order} is largest in {where}",
            "smallest": f"{what} where {order} is smallest in {where}",
            "same_as": f"{what} in other rows with the same {order} as {where}",
            "count": f"the number of rows in {where}"
            if where == "the table"
            else f"the number of {where[4:]}",
            "count_different": f"how many different {answer} there are in {where}",
            "count_same": f"how many other rows have the same {order} as {where}",
            "count_after": f"the number of rows after {where}",
            "count_before": f"the number of rows before {where}",
            "count_between": f"the number of rows between {where}",
            "count_difference": f"how many more rows the one has than the other in {where}",
            "count_frequent": f"how many {answer} stand in {self.quantity} rows or more of {where}",
            "frequent": f"the {answer} that stand in {self.quantity} rows or more of {where}",
            "most_common": f"the most frequent {answer} in {where}",
            "least_common": f"the least frequent {answer} in {where}",
            "highest_count": f"how often the most frequent {answer} stands in {where}",
            "position": f"the position of the row in {where}",
            "sum": f"the sum of {order} in {where}",
            "average": f"the average of {order} in {where}",
            "range": f"the difference in {order} between the largest and smallest of {where}",
            "sum_difference": f"the difference of the sums of {order} in {where}",
            "column_difference": f"the difference between {answer} and {order} in {where}",
            "header_largest": f"the column with the largest number in {where}",
            "header_smallest": f"the column with the smallest number in {where}",
            "header": f"the column that the question's value stands in, in {where}",
            "yes": f"yes, by {where}",
            "no": f"no, by {where}",
        }
        return texts[self.operation]


_WH = ("who", "what", "which", "where", "when", "how", "name", "list")


class Enumeration:
    """All programs for one question, with their features (one row of `FEATURES` each)."""

    def __init__(self, table: Table, text: str) -> None:
        self.table = table
        self.question = Question(text)
        self.selections = selections(table, self.question)
        words = self.question.words
        self._in_years = not words.isdisjoint(("long", "years", "older", "younger"))
        derived = [part for part in table.derived if not words.isdisjoint(_ASKED.get(part.reading, words))]
        self._columns = sorted([*table.columns, *derived], key=self._relevance)[:_MOST_COLUMNS]
        self._measured = [column for column in self._columns if column.measured][:_MOST_ORDERS]

    def _relevance(self, column: Column) -> tuple[float, ...]:
        """Named columns first, whole cells before parts of them, from left to right."""
        named = sum(token in self.question.stems for token in column.name_stems)
        share = named / len(column.name_stems) if named else 0.0
        return (-share, column.reading != "cell", column.index)

    # -- programs -------------------------------------------------------------------------------------

    def programs(self) -> list[Program]:
        """Every program that runs to an answer; `cut` says whether there were more than are taken."""
        found = filter(self._may_be_meant, self._programs())
        programs = list(islice(found, MOST_PROGRAMS))
        self.cut = next(found, None) is not None
        return self._calculated(programs) or programs

    def _calculated(self, programs: Sequence[Program]) -> list[Program]:
        """Those that add up or average the column that a question for a sum or an average names."""
        words = self.question.words.difference(*(column.name_stems for column in self.table.columns))
        operations = [name for name, asked in _CALCULATED.items() if not words.isdisjoint(asked)]
        return [
            program
            for program in programs
            if program.operation in operations and program.order and self.named[program.order.index]
        ]

    def _programs(self) -> Iterator[Program]:
        yield from self._deciding()
        for selection in self.selections:
            yield from self._counting(selection)
            yield from self._picking(selection)
            yield from self._calculating(selection)

    def _may_be_meant(self, program: Program) -> bool:
        """Whether nothing in the question speaks against a program, whatever the network makes of it."""
        columns = [one.index for one in (program.answer, program.order) if one]
        if not self._look_alikes.isdisjoint(columns):
            return False
        order = program.order
        if (
            program.operation in self._against
            and order
            and order.index in self._counts
            and _RANKS.isdisjoint(order.name_stems)
        ):
            return False
        if program.operation in _ONE_ROW and program.selection.kind == "all" and self._adds_up:
            return columns[0] not in self._counts or not self.named[columns[0]]
        if program.operation != "count":
            return True
        # What is counted in a column is read or added up there, not counted in rows.
        selection = program.selection
        counted = any(self.named[index] - selection.covered for index in self._counts)
        if selection.kind == "all":
            return not (counted and self._adds_up)
        picked = selection.kind in ("exact", "partial", "alike", "both") and not selection.compares
        return not (counted and picked and len(selection.rows) == 1)

    @cached_property
    def _adds_up(self) -> bool:
        """Whether a question for a total is not answered by one row, as "which has the highest total" is."""
        words = self.question.words
        names = frozenset[str]().union(*(column.name_stems for column in self.table.columns))
        return bool(words & _SUM_WORDS - names) and words.isdisjoint(
            _HIGH_WORDS | _LOW_WORDS | {"which", "who"}
        )

    @cached_property
    def _against(self) -> frozenset[str]:
        """What a question for the highest or the lowest does not ask for."""
        high, low = self.question.words & _HIGH_WORDS, self.question.words & _LOW_WORDS
        return frozenset({"smallest"} if high and not low else {"largest"} if low and not high else ())

    @cached_property
    def _counts(self) -> list[int]:
        """Columns of amounts: numbers, but no years, ranks or running numbers."""
        return [
            column.index
            for column in self.table.columns
            if column.kind == "number" and not column.counts_up and not any(column.years)
        ]

    @cached_property
    def _look_alikes(self) -> frozenset[int]:
        """Columns such as c1 and c10: their names differ in a number or letter alone from what is asked."""
        asked = f" {' '.join(plain(self.question.text).translate(_NO_MARKS).split())} "
        spelled, shapes = set(), {}
        for column in self.table.columns:
            name = " ".join(plain(column.name).translate(_NO_MARKS).split())
            shapes[column.index] = shape = _VARIES.sub("#", name)
            if "#" in shape and f" {name} " in asked:
                spelled.add(column.index)
        meant = {shapes[index] for index in spelled}
        return frozenset(index for index, shape in shapes.items() if shape in meant and index not in spelled)

    def _picking(self, selection: Selection) -> Iterator[Program]:
        rows = selection.rows
        words = self.question.words
        if selection.kind != "all" or len(rows) <= _MOST_CELLS:
            yield from self._reading("read", selection, rows)
        if len(rows) > 1:
            yield from self._reading("first", selection, rows[:1])
            yield from self._reading("last", selection, rows[-1:])
            for quantity in self.question.quantities:
                count = int(quantity.value)
                if quantity.ordinal and 2 <= count <= len(rows):
                    yield from self._reading("nth", selection, (rows[count - 1],), quantity=count)
                elif not quantity.ordinal and 2 <= count < min(len(rows), _MOST_CELLS):
                    yield from self._reading("top", selection, rows[:count], quantity=count)
            for column in self._measured:
                known = [(value, row) for row in rows if (value := column.measures[row]) is not None]
                if not known:
                    continue
                for operation, best in (("largest", max(known)[0]), ("smallest", min(known)[0])):
                    picked = tuple(row for value, row in known if value == best)
                    if len(picked) <= 4:
                        yield from self._reading(operation, selection, picked, order=column)
        if selection.kind not in ("all", "not") and words & _STEP_WORDS and len(rows) <= 4:
            if rows[-1] + 1 < self.table.height:
                yield from self._reading("next", selection, (rows[-1] + 1,))
            if rows[0] > 0:
                yield from self._reading("previous", selection, (rows[0] - 1,))
        if len(rows) == 1 and words & _SAME_WORDS and selection.kind in ("exact", "partial", "alike"):
            for shared in self.table.columns:
                common = shared.plain[rows[0]]
                if shared.index in selection.columns or common in BLANKS:
                    continue
                others = tuple(
                    row for row, cell in enumerate(shared.plain) if cell == common and row != rows[0]
                )
                if others:
                    for column in self.table.columns:
                        if column is not shared:
                            yield from self._reading_one("same_as", selection, others, column, shared)
                    yield self._computed("count_same", selection, others, float(len(others)), order=shared)

    def _reading(
        self,
        operation: str,
        selection: Selection,
        picked: tuple[int, ...],
        order: Column | None = None,
        quantity: int | None = None,
    ) -> Iterator[Program]:
        for column in self._columns:
            yield from self._reading_one(operation, selection, picked, column, order, quantity)

    def _reading_one(
        self,
        operation: str,
        selection: Selection,
        picked: tuple[int, ...],
        column: Column,
        order: Column | None = None,
        quantity: int | None = None,
    ) -> Iterator[Program]:
        values: dict[str, str] = {}
        for row in picked:
            values.setdefault(column.plain[row], column.cells[row])
            if len(values) > _MOST_CELLS:
                return
        if not values.keys() <= BLANKS:
            values = {plain: text for plain, text in values.items() if plain not in BLANKS}
        elif column.reading != "cell":
            return
        gives = column.kind if len(values) == 1 else "several"
        yield Program(operation, selection, column, order, picked, tuple(values.values()), gives, quantity)
        if column.reading == "span" and len(values) == 1 and self._in_years:
            said = (f"{next(iter(values.values()))} years",)
            yield Program(operation, selection, column, order, picked, said, "years", quantity)

    def _computed(
        self,
        operation: str,
        selection: Selection,
        picked: tuple[int, ...],
        value: float,
        answer: Column | None = None,
        order: Column | None = None,
        quantity: int | None = None,
    ) -> Program:
        gives = "number" if value else "zero"
        return Program(operation, selection, answer, order, picked, (say(value),), gives, quantity)

    def _counting(self, selection: Selection) -> Iterator[Program]:
        rows = selection.rows
        height = self.table.height
        yield self._computed("count", selection, rows, float(len(rows)))
        if selection.kind not in ("all", "not"):
            yield self._computed(
                "count_after", selection, tuple(range(rows[-1] + 1, height)), height - 1.0 - rows[-1]
            )
            yield self._computed("count_before", selection, tuple(range(rows[0])), float(rows[0]))
            if len(rows) == 2:
                between = tuple(range(rows[0] + 1, rows[1]))
                yield self._computed("count_between", selection, between, float(len(between)))
            if len(rows) == 1:
                yield self._computed("position", selection, rows, rows[0] + 1.0)
        if len(selection.parts) == 2:
            counts = [len(part) for part in selection.parts]
            yield self._computed("count_difference", selection, rows, float(abs(counts[0] - counts[1])))
        if len(rows) < 2:
            return
        for column in self._columns:
            counted = Counter(column.plain[row] for row in rows if not column.blank[row])
            if len(counted) < 1 or len(counted) == len(rows):
                continue
            yield self._computed("count_different", selection, rows, float(len(counted)), answer=column)
            if len(counted) < 2:
                continue
            ranked = counted.most_common()
            most, least = ranked[0][1], ranked[-1][1]
            if most == least:
                continue
            yield self._computed("highest_count", selection, rows, float(most), answer=column)
            yield from self._grouped("most_common", selection, column, [v for v, n in ranked if n == most])
            yield from self._grouped("least_common", selection, column, [v for v, n in ranked if n == least])
            for quantity in self.question.quantities:
                if quantity.ordinal or not 1 <= quantity.value <= most:
                    continue
                more = bool(self.question.words & {"more", "over"}) and "least" not in self.question.words
                least_count = int(quantity.value) + more
                frequent = [value for value, count in ranked if count >= least_count]
                if frequent:
                    yield self._computed(
                        "count_frequent", selection, rows, float(len(frequent)), column, quantity=least_count
                    )
                    yield from self._grouped("frequent", selection, column, frequent, least_count)

    def _grouped(
        self,
        operation: str,
        selection: Selection,
        column: Column,
        chosen: Sequence[str],
        quantity: int | None = None,
    ) -> Iterator[Program]:
        if len(chosen) > 4:
            return
        wanted = set(chosen)
        picked = tuple(row for row in selection.rows if column.plain[row] in wanted)
        values = {column.plain[row]: column.cells[row] for row in reversed(picked)}
        gives = column.kind if len(values) == 1 else "several"
        yield Program(operation, selection, column, None, picked, tuple(values.values()), gives, quantity)

    def _calculating(self, selection: Selection) -> Iterator[Program]:
        rows = selection.rows
        yield from self._columns_compared(selection)
        if len(rows) < 2:
            if selection.kind != "all" and len(self._measured) > 1:
                yield from self._headers(selection, rows[0])
            return
        for column in self._measured:
            dated = column.kind == "date"
            measures = column.years if dated else column.measures
            known = [(float(value), row) for row in rows if (value := measures[row]) is not None]
            if len(known) < 2:
                continue
            picked = tuple(row for _, row in known)
            numbers = [value for value, _ in known]
            if not dated:
                yield self._computed("sum", selection, picked, sum(numbers), order=column)
                yield self._computed("average", selection, picked, sum(numbers) / len(numbers), order=column)
            low, high = min(known), max(known)
            ends = (low[1], high[1])
            yield self._computed("range", selection, ends, high[0] - low[0], order=column)
            if self._in_years and 1000 <= low[0] <= high[0] <= 2100:
                said = (f"{say(high[0] - low[0])} years",)
                yield Program("range", selection, None, column, ends, said, "years")
            if not dated and len(selection.parts) == 2 and len(rows) > 2:
                sums = [
                    sum(value for row in part if (value := column.measures[row]) is not None)
                    for part in selection.parts
                ]
                yield self._computed(
                    "sum_difference", selection, picked, abs(sums[0] - sums[1]), order=column
                )

    def _columns_compared(self, selection: Selection) -> Iterator[Program]:
        """Two columns that the question names, such as wins and losses."""
        named = [
            column
            for column in self.table.columns
            if column.kind == "number" and self.named[column.index] - selection.covered
        ]
        for first, second in combinations(named[:4], 2):
            sums = [
                sum(value for row in selection.rows if (value := column.measures[row]) is not None)
                for column in (first, second)
            ]
            difference = abs(sums[0] - sums[1])
            yield self._computed("column_difference", selection, selection.rows, difference, first, second)
            larger, smaller = (first, second) if sums[0] >= sums[1] else (second, first)
            for operation, column in (("header_largest", larger), ("header_smallest", smaller)):
                yield Program(operation, selection, None, column, selection.rows, (column.name,), "text")

    def _headers(self, selection: Selection, row: int) -> Iterator[Program]:
        known = [
            (value, column.index)
            for column in self.table.columns
            if column.measured
            and column.index not in selection.columns
            and (value := column.measures[row]) is not None
        ]
        if len(known) > 1:
            for operation, (_, index) in (("header_largest", max(known)), ("header_smallest", min(known))):
                column = self.table.columns[index]
                yield Program(operation, selection, None, column, (row,), (column.name,), "text")
        if selection.kind == "both":
            for index in selection.columns:
                column = self.table.columns[index]
                yield Program("header", selection, None, column, (row,), (column.name,), "text")

    def _deciding(self) -> Iterator[Program]:
        if self.question.yes_no:
            widest = max(self.selections, key=lambda selection: len(selection.covered))
            for word in ("yes", "no"):
                yield Program(word, widest, None, None, widest.rows, (word,), "text")

    # -- words and features ---------------------------------------------------------------------------

    @cached_property
    def named(self) -> list[frozenset[int]]:
        """For each column, which of the question's tokens stand in its name."""
        places: dict[str, list[int]] = {}
        for at in self.question.content:
            places.setdefault(self.question.stems[at], []).append(at)
        return [
            frozenset(at for token in column.name_stems for at in places.get(token, ()))
            for column in self.table.columns
        ]

    def features(self, programs: Sequence[Program]) -> list[list[float]]:
        """`FEATURES` of each program, about in [0, 1]."""
        question, table = self.question, self.table
        content = question.content
        size = max(1, len(content))
        named = self.named
        known = {question.stems[at] for at in content}
        whole = [bool(column.name_stems) and known.issuperset(column.name_stems) for column in table.columns]
        wh = next((at for at, token in enumerate(question.tokens) if token in _WH), 0)
        after_wh = [max((1 / (at - wh) for at in covered if wh < at), default=0.0) for covered in named]
        matched = frozenset().union(*(one.covered for one in self.selections if one.exact))
        matches = [(one.covered, frozenset(one.rows)) for one in self.selections if one.exact or one.partial]
        first_text = next((column.index for column in table.columns if column.kind == "text"), -1)
        how_many = "how many" in question.text.lower() or "number of" in question.text.lower()
        asked = normalise(question.text)
        free = frozenset(quantity.at for quantity in question.quantities)
        rows_by: dict[int, tuple[float, ...]] = {}
        found = []
        for program in programs:
            selection = program.selection
            answer = program.answer.index if program.answer else -1
            order = program.order.index if program.order else -1
            key = id(selection)
            if key not in rows_by:
                mentioned = max(
                    (bool(named[index] - selection.covered) for index in selection.columns), default=False
                )
                numeral = (
                    all(question.stems[at].isdigit() for at in selection.covered) and selection.kind != "all"
                )
                compared = selection.kind in COMPARED
                rows_by[key] = (
                    len(selection.covered) / size,
                    # Words of other conditions that hold for all these rows too.
                    len(
                        selection.covered.union(
                            *(words for words, rows in matches if rows.issuperset(selection.rows))
                        )
                    )
                    / size,
                    float(selection.exact),
                    float(selection.partial),
                    float(selection.alike),
                    float(len(selection.rows) == 1),
                    len(selection.rows) / table.height,
                    float(numeral and not compared),
                    float(mentioned and not compared),
                    float(mentioned and compared),
                )
            explained = selection.covered
            if answer >= 0:
                explained = explained | named[answer]
            if order >= 0:
                explained = explained | named[order]
            value = normalise(program.values[0])
            count = len(program.values)
            derived = any(one and one.reading != "cell" for one in (program.answer, program.order))
            answer_column = program.answer
            used = program.quantity is not None
            found.append([
                *rows_by[key],
                len(explained) / size,
                len(matched - explained) / size,
                float(selection.kind in ("both", "or", "between")),
                len(named[answer]) / max(1, len(table.columns[answer].name_stems)) if answer >= 0 else 0.0,
                float(answer >= 0 and whole[answer]),
                float(answer >= 0 and bool(named[answer] - selection.covered)),
                after_wh[answer] if answer >= 0 else 0.0,
                float(answer >= 0 and answer in selection.columns),
                float(answer == 0),
                float(answer == first_text and answer >= 0),
                float(answer_column is not None and answer_column.counts_up),
                float(answer_column is not None and answer_column.kind == "number"),
                float(answer_column is not None and answer_column.kind == "date"),
                float(how_many and program.gives not in ("number", "zero")),
                len(named[order]) / max(1, len(table.columns[order].name_stems)) if order >= 0 else 0.0,
                float(order >= 0 and whole[order]),
                float(order >= 0 and bool(named[order] - selection.covered)),
                float(order >= 0 and order in selection.columns),
                float(order >= 0 and table.columns[order].counts_up),
                float(order >= 0 and program.order is program.answer),
                float(count == 1), float(2 <= count <= 3), float(count > 3),
                float(bool(value) and value in asked and not value.isdigit()),
                float(value in BLANKS),
                float(value == "0"), float(value == "1"),
                float(len(program.picked) == table.height),
                float(derived),
                float(program.operation in ("largest", "smallest") and len(program.picked) > 1),
                float(used),
                float(bool(free - explained) and not used),
                (len(selection.columns) + (order >= 0) + (program.operation not in ("read", "count"))) / 4,
            ])  # fmt: skip
        return found
