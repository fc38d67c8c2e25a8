"""Questions that a table cannot answer, and readings that a question rules out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from components.models.catalog import load_catalog
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir
from components.tasks.runner import Runner
from components.tasks.table_question_answering import TASK
from components.tasks.table_question_answering.doubts import nowhere
from components.tasks.table_question_answering.programs import Enumeration
from components.tasks.table_question_answering.questions import Question
from components.tasks.table_question_answering.table import read


def table(names: str, *rows: str) -> dict[str, Any]:
    return {"columns": names.split("|"), "rows": [row.split("|") for row in rows]}


STAFF = table("Name|Wage|Office", "Ida|2,300|Oslo", "Max Weber|1,900|Graz", "Q|2,100|Oslo")
SERIES = table("name|c1|c2|c10", "u|5|7|100", "v|6|8|200", "w|9|1|300")
LETTERS = table("Grade|Marks", "D|61", "B|83", "A|95", "C|72")
STOCK = table("Shop|Number of bikes|Boats|Opened", "North|57|12|1990", "South|69|4|2001", "East|41|30|2010")


@pytest.mark.parametrize(
    ("given", "question", "words"),
    [
        (STAFF, "What is the wage of Rolf?", ["Rolf"]),
        (STAFF, "what is the wage of rolf?", ["rolf"]),
        (STAFF, "What is the average wage in Trondheim?", ["Trondheim"]),
        (STAFF, "What is the age of Ida?", ["age"]),
        (STAFF, "What is Ida's height?", ["height"]),
        (STAFF, "Who sits where Karl Weber sits?", ["Karl"]),
        (STAFF, "Which office did they have in 1987?", ["1987"]),
        (LETTERS, "What are the marks of E?", ["E"]),
        (STAFF, "What is the wage of Max Weber?", []),
        (STAFF, "What is the highest wage?", []),
        (STAFF, "What Is The Wage Of Ida?", []),
        (STAFF, "How many people work in Oslo?", []),
        (STAFF, "Who has the largest wage of all?", []),
        (STOCK, "Which shop opened after 1995?", []),
        (LETTERS, "What are the marks of B?", []),
    ],
)
def test_names_that_the_table_lacks(given: dict[str, Any], question: str, words: list[str]) -> None:
    assert nowhere(read(given["columns"], given["rows"]), Question(question)) == words


@pytest.mark.parametrize(
    ("given", "question", "never"),
    [
        (STOCK, "How many bikes does South have?", ("count", "1")),
        (STOCK, "How many boats has East got?", ("count", "1")),
        (STOCK, "What is the total number of boats?", ("count", "3")),
        (STOCK, "Which shop has the most bikes?", ("smallest", "East")),
        (STOCK, "Which shop has the fewest bikes?", ("largest", "South")),
        (SERIES, "What is the sum of c1?", ("sum", "600")),
        (SERIES, "the average of c10", ("average", "6.666667")),
        (SERIES, "which name has the highest c2?", ("largest", "w")),
    ],
)
def test_what_is_never_meant(given: dict[str, Any], question: str, never: tuple[str, str]) -> None:
    programs = Enumeration(read(given["columns"], given["rows"]), question).programs()
    assert programs
    assert never not in {(one.operation, one.text) for one in programs}


@pytest.fixture(scope="module")
def embedded() -> Iterator[Runner]:
    registry = Registry(load_catalog(), Settings(cache_dir=default_cache_dir()))
    yield Runner(registry, "embedded")
    registry.close()


@pytest.mark.parametrize(
    ("given", "question", "answer"),
    [
        (STOCK, "How many bikes does South have?", "69"),
        (STOCK, "How many boats has East got?", "30"),
        (STOCK, "What is the total number of bikes?", "167"),
        (SERIES, "What is the sum of c1?", "20"),
        (SERIES, "What is the sum of c10?", "600"),
        (SERIES, "What is the average of c2?", "5.333333"),
        (LETTERS, "What are the marks of B?", "83"),
        (LETTERS, "What are the marks of A?", "95"),
        (LETTERS, "what are the marks of d?", "61"),
        (table("Item|Debt", "Van|-£90", "Car|£50", "Bus|(£120)"), "Which item has the lowest debt?", "Bus"),
        (table("Band|Fans", "Ox|1.5M", "Yak|800K", "Elk|90000"), "Which band has the most fans?", "Ox"),
        (table("Clip|Size", "x|3 GB", "y|700 MB", "z|900 KB"), "Which clip is smallest?", "z"),
        (table("Tag|Preis", "Mo|1.050,25 €", "Di|99,75 €"), "What is the sum of Preis?", "1150"),
    ],
)  # fmt: skip
def test_answers(embedded: Runner, given: dict[str, Any], question: str, answer: str) -> None:
    assert embedded.call(TASK, {"table": given, "question": question}).result.answer == answer


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("What is the wage of Rolf?", "No cell and no column name has “Rolf”"),
        ("What is the age of Ida?", "No cell and no column name has “age”"),
        ("How much does she earn?", "Each question is answered separately: “she”"),
        ("What is his office?", "Each question is answered separately: “his”"),
    ],
)
def test_a_doubt_is_told(embedded: Runner, question: str, words: str) -> None:
    notes = embedded.call(TASK, {"table": STAFF, "question": question}).notes
    assert any(words in note for note in notes)


def test_no_doubt_where_there_is_none(embedded: Runner) -> None:
    assert embedded.call(TASK, {"table": STAFF, "question": "What is the wage of Ida?"}).notes == ()
