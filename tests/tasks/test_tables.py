"""Programs over hand-written tables: the right one is among the candidates, and none ever fails."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.tasks.table_question_answering.numbers import number
from components.tasks.table_question_answering.programs import (
    FEATURES,
    LABELS,
    OPERATIONS,
    Enumeration,
    Program,
)
from components.tasks.table_question_answering.table import read
from components.tasks.table_question_answering.values import Date, date, normalise, say, stem, years

RACES = read(
    ["Year", "Race", "Winner", "Country", "Time", "Prize", "Date"],
    [
        ["1998", "Alpine Cup", "Ada Berg", "Norway", "1:02:10", "$1,200", "May 3, 1998"],
        ["1999", "Alpine Cup", "Bo Lind", "Sweden", "58:40", "$1,500", "June 7, 1999"],
        ["2000", "Harbour Run", "Ada Berg", "Norway", "31:05", "$900", "May 21, 2000"],
        ["2001", "Harbour Run", "Cy Dahl", "Denmark", "30:59", "", "July 1, 2001"],
        ["2003", "Alpine Cup", "Bo Lind", "Sweden", "57:12", "$2,000", "May 30, 2003"],
        ["Total", "", "", "", "", "$5,600", ""],
    ],
)


def found(question: str, operation: str, **wanted: object) -> list[Program]:
    """Candidates with an operation, and with the names of the columns that they read or compare."""
    enumeration = Enumeration(RACES, question)
    return [
        program
        for program in enumeration.programs()
        if program.operation == operation
        and all(getattr(getattr(program, role), "name", None) == name for role, name in wanted.items())
    ]


@pytest.mark.parametrize(
    ("question", "operation", "columns", "said", "values", "cells"),
    [
        ("who won the harbour run in 2001?", "read", {"answer": "Winner"}, "2001", ("Cy Dahl",), [(3, 2)]),
        ("who won the last alpine cup?", "last", {"answer": "Winner"}, "alpine cup", ("Bo Lind",), [(4, 2)]),
        ("who was the third winner?", "nth", {"answer": "Winner"}, "the table", ("Ada Berg",), [(2, 2)]),
        ("what came after 1999?", "next", {"answer": "Race"}, "1999", ("Harbour Run",), [(2, 1)]),
        ("which race took longest?", "largest", {"answer": "Race", "order": "Time"}, "the table",
         ("Alpine Cup",), [(0, 1)]),
        ("earliest date after 1999?", "smallest", {"answer": "Date", "order": "Date"}, "above 1999",
         ("May 21, 2000",), [(2, 6)]),
        ("how many races did ada berg win?", "count", {}, "ada berg", ("2",), None),
        ("how many different winners?", "count_different", {"answer": "Winner"}, "the table", ("3",), None),
        ("which winner is from the same country as bo lind in 1999?", "same_as",
         {"answer": "Year", "order": "Country"}, "1999", ("2003",), [(4, 0)]),
        ("total prize of alpine cup", "sum", {"order": "Prize"}, "alpine cup", ("4700",), None),
        ("difference in prize between 1998 and 1999", "range", {"order": "Prize"}, "1998", ("300",), None),
        ("which race was held most?", "most_common", {"answer": "Race"}, "the table", ("Alpine Cup",), None),
        ("how many races had no prize?", "count", {}, "empty", ("1",), None),
        ("how many races between 1999 and 2001?", "count", {}, "1999 or above", ("3",), None),
        ("how many were won by germans or swedish people?", "count", {}, "like", ("2",), None),
        ("which month had the most races?", "most_common", {"answer": "Date"}, "the table", ("May",), None),
        ("how much more is the prize than the year?", "column_difference",
         {"answer": "Year", "order": "Prize"}, "the table", ("4401",), None),
        ("which race did bo lind not win?", "read", {"answer": "Year"}, "not so",
         ("1998", "2000", "2001", "Total"), None),
    ],
)  # fmt: skip
def test_the_right_reading_is_among_the_candidates(
    question: str,
    operation: str,
    columns: dict[str, str],
    said: str,
    values: tuple[str, ...],
    cells: list[tuple[int, int]] | None,
) -> None:
    candidates = [
        one
        for one in found(question, operation, **columns)
        if one.values == values and said in one.explanation
    ]
    assert candidates
    assert cells is None or candidates[0].cells == cells


def test_a_row_of_totals_is_no_row_of_the_whole_table() -> None:
    assert {one.values for one in found("how many races are there?", "count")} == {("5",)}


@pytest.mark.parametrize(
    ("text", "value"),
    [("$1,200", 1200), ("4th", 4), ("−3.5 %", -3.5), ("3.2 million", 3_200_000), ("1:02:10", 3730),
     ("5h 29' 10\"", 19750), ("c. 20", 20), ("", None), ("–", None), ("n/a", None), ("about twenty", None)],
)  # fmt: skip
def test_numbers_that_cells_start_with(text: str, value: float | None) -> None:
    assert number(text) == value


def test_dates_years_and_what_is_said_of_numbers() -> None:
    for text in ("3 May 1998", "May 3, 1998", "1998-05-03", "03.05.1998", "on May 3rd, 1998 (Sunday)"):
        assert date(text) == Date(1998, 5, 3)
    assert date("May 1998") == Date(1998, 5, None)
    assert date("May 3") == Date(None, 5, 3)
    assert date("32 May 1998 of 13/13/2000") != Date(1998, 5, 32)
    assert years("1998–99") == (1998, 1999)
    assert [say(value) for value in (3.0, 0.1 + 0.2, 1e15, -2.50)] == ["3", "0.3", "1000000000000000", "-2.5"]
    assert {stem(token) for token in ("third", "3rd", "3", "three")} == {"3"}


def test_answers_are_compared_as_the_data_set_does() -> None:
    assert normalise("“Café  Réunion” (live)[3]†") == normalise("Cafe Reunion.") == "cafe reunion"
    assert normalise("(all of it)") == "(all of it)"


TEXTS = st.one_of(
    st.sampled_from(
        ["", "–", "1,200", "4th", "May 3, 1998", "1998–99", "2-1", "a (b)", "x, y", "l\nm", "Total", "no"]
    ),
    st.text(max_size=12),
    st.integers().map(str),
)
SAYING = (
    "1998", "2", "after", "between", "first", "how", "last", "many", "more", "most", "not", "same", "than",
    "which",
)  # fmt: skip
QUESTION = st.lists(
    st.one_of(
        st.sampled_from(SAYING),
        TEXTS,
    ),
    min_size=1,
    max_size=12,
).map(" ".join)


@settings(max_examples=60)
@given(data=st.data(), question=QUESTION)
def test_no_table_and_no_question_break_a_program(data: st.DataObject, question: str) -> None:
    width = data.draw(st.integers(1, 5))
    rows = data.draw(st.lists(st.lists(TEXTS, min_size=width, max_size=width), min_size=1, max_size=7))
    table = read(data.draw(st.lists(TEXTS, min_size=width, max_size=width)), rows)
    enumeration = Enumeration(table, question)
    programs = enumeration.programs()
    assert programs  # the rows can be counted in any case
    for program, features in zip(programs, enumeration.features(programs), strict=True):
        assert program.operation in OPERATIONS
        assert program.values
        assert all(isinstance(value, str) for value in program.values)
        assert program.explanation
        assert all(0 <= row < len(rows) and 0 <= column < width for row, column in program.cells)
        assert all(-1 <= label < len(LABELS) for label in program.labels())
        assert all(-1 <= column < width for column in program.roles())
        assert len(features) == len(FEATURES)
        assert all(map(math.isfinite, features))
