"""A table on its way through the page: as it is pasted, as it is drawn, as it is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from components.figures.tables import MOST_ROWS, table_answer
from components.models.checkpoint import LoadedModel
from components.models.errors import TourError
from components.tasks.fields import LONGEST_CELL, validate
from components.tasks.fields import MOST_ROWS as MOST_TABLE_ROWS
from components.tasks.table_question_answering import TASK, Inputs, Options
from components.ui.table_input import TableInput

TABLE = {"columns": ["a", "b c"], "rows": [["1", "x, y"], ["", 'say "hi"'], ["two\nlines", "é"]]}


def test_a_pasted_table_is_what_was_shown() -> None:
    assert TableInput().parse(TableInput().show(TABLE)) == TABLE


@pytest.mark.parametrize(
    "pasted",
    [
        "a,b c\n1,2\n\n ,3\n",
        "a\tb c\r\n1\t2\r\n\t3",
        "a;b c\n1;2\n;3",
        "a | b c\n1 | 2\n | 3",
        '"a","b c"\n1,2\n,3',
        "| a | b c |\n|---|---|\n| 1 | 2 |\n|  | 3 |",
        "a | b c\n--- | :-:\n1 | 2\n | 3",
        "|a|b c|\n|:--|--:|\n|1|2|\n||3|\n",
        '"a", "b c"\n"1", "2"\n"", "3"',
        "a;  b c\n1;  2\n;  3",
        "\ufeffa,b c\n1,2\n,3",
        "\ufeff| a | b c |\n| - | - |\n| 1 | 2 |\n| | 3 |",
    ],
)
def test_cells_are_told_apart_by_what_stands_between_them(pasted: str) -> None:
    assert TableInput().parse(pasted) == {"columns": ["a", "b c"], "rows": [["1", "2"], ["", "3"]]}


@pytest.mark.parametrize(
    ("pasted", "columns", "rows"),
    [
        ("Name, first\tAge, years\nAnn\t3\n", ["Name, first", "Age, years"], [["Ann", "3"]]),
        ("x;y;z\tn\n1\t2\n3\t4", ["x;y;z", "n"], [["1", "2"], ["3", "4"]]),
        ('who, what\nAnn, "tea, milk"\nBob, "ale"', ["who", "what"], [["Ann", "tea, milk"], ["Bob", "ale"]]),
        ("| a \\| b | c |\n|---|---|\n| 1 \\| 2 | 3 |", ["a | b", "c"], [["1 | 2", "3"]]),
        ("words\none, two\nthree", ["words"], [["one, two"], ["three"]]),
    ],
)
def test_what_is_pasted_is_read_by_its_rows(pasted: str, columns: list[str], rows: list[list[str]]) -> None:
    assert TableInput().parse(pasted) == {"columns": columns, "rows": rows}


@pytest.mark.parametrize(
    "pasted", ["", "\n\n", '"never closed\n' + "x,y\n" * 40_000, "a\0b,c\n1,2", "a,b\n1"]
)
def test_what_is_no_table_is_refused_in_words(pasted: str) -> None:
    with pytest.raises(TourError) as caught:
        validate(Inputs, {"table": TableInput().parse(pasted), "question": "what?"})
    assert caught.value.field == "table"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["1", "2"], ["3"]], "1 cells in row 2, but 2 columns"),
        ([["1", True]], "Cell 2 in row 1 of Table must be text, but true"),
        ([["1", "x" * (LONGEST_CELL + 1)]], "Cell 2 in row 1"),
        ([["", ""]] * (MOST_TABLE_ROWS + 1), "1,001 entries, at most 1,000"),
        ([["x" * 1000, ""]] * 200, "altogether"),
    ],
)
def test_a_fault_is_said_with_its_place(rows: list[list[Any]], words: str) -> None:
    with pytest.raises(TourError, match=words):
        validate(Inputs, {"table": {"columns": ["a", "b"], "rows": rows}, "question": "what?"})


def test_numbers_and_missing_cells_become_text() -> None:
    given = {"columns": ["a", "b", "c"], "rows": [[1, 2.5, None]]}
    assert validate(Inputs, {"table": given, "question": "what?"}).table["rows"] == [["1", "2.5", ""]]


def drawn(rows: list[list[str]], cells: list[list[int]], answer: str = "x") -> str:
    reading = {"answer": answer, "score": 0.5, "explanation": "“a” <b>", "cells": cells, "values": [answer]}
    result = {"answer": answer, "cells": cells, "candidates": [reading, {**reading, "answer": "<i>"}]}
    return str(table_answer({"table": {"columns": ["<th>", "b"], "rows": rows}}, result))


def test_answers_are_marked_and_nothing_is_taken_for_html() -> None:
    html = drawn([["1", "<script>"], ["2", "ok"]], [[0, 1]], answer="<script>")
    assert html.count("<mark>") == 1
    assert "<mark>&lt;script&gt;</mark>" in html
    assert not any(tag in html for tag in ("<script>", "<th>", "<b>", "<i>"))


def test_rows_that_are_not_drawn_are_said() -> None:
    rows = [[str(row), "x"] for row in range(MOST_ROWS + 40)]
    html = drawn(rows, [[MOST_ROWS + 20, 0]])
    assert f"<mark>{MOST_ROWS + 20}</mark>" in html
    assert "20 rows are not drawn" in html
    assert "19 rows are not drawn" in html
    assert html.count("<tr><td") == MOST_ROWS + 1


def test_a_tagger_of_names_is_refused(lease: Callable[[str], LoadedModel]) -> None:
    """It has the same head, other labels."""
    with pytest.raises(TourError, match="not trained") as caught:
        list(TASK.run(lease("tiny-tagger"), validate(Inputs, TASK.example), Options()))
    assert caught.value.field == "model"
