"""Exact match on WikiTableQuestions, and what can be had without understanding a question."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from components.tasks.table_question_answering import TASK
from components.tasks.table_question_answering.values import stem, stems, tokens
from components.training.evaluation.measure import Evaluation, Failure, each, mean, some, worst
from components.training.tables import ARCHIVE, TEST, TRAINING, Asked, WikiTables, read, same

if TYPE_CHECKING:
    from components.training.evaluation.asking import App
    from components.training.recipe import Recipe

Rows = Sequence[Sequence[str]]
Baseline = Callable[[str, Sequence[str], Rows], str]


def evaluate(recipe: Recipe, data: Path, app: App, limit: int | None) -> Evaluation:
    published = read(data / ARCHIVE)
    asked = some(published.splits[TEST], limit)
    right, among, failures = [], [], []
    for one in each(asked, recipe.name):
        columns, rows = published.tables[one.table]
        payload = {
            "table": {"columns": columns, "rows": rows},
            "question": one.question,
            "model": recipe.name,
            "top_k": 5,
        }
        found = app.call(TASK, payload).result
        right.append(float(same(found.candidates[0].values, one.answers)))
        among.append(float(any(same(reading.values, one.answers) for reading in found.candidates)))
        if not right[-1]:
            failures.append(
                Failure(
                    given=f"{one.question} ({one.table}: {', '.join(columns)})",
                    expected=", ".join(one.answers),
                    answered=f"{found.answer} (read as: {found.candidates[0].explanation})",
                    weight=found.candidates[0].score,
                )
            )
    return Evaluation(
        split="WikiTableQuestions pristine-unseen-tables",
        examples=len(asked),
        measures=(mean("exact match", right), mean("right answer among the first five", among)),
        others={name: {"exact match": share} for name, share in baselines(published, asked).items()},
        failures=worst(failures),
    )


def baselines(published: WikiTables, asked: Sequence[Asked]) -> dict[str, float]:
    """Exact match of ways to answer that take no reading of the question, the best first."""
    reached = {}
    for name, answer in _baselines(published.splits[TRAINING]).items():
        hits = sum(same([answer(one.question, *published.tables[one.table])], one.answers) for one in asked)
        reached[name] = hits / len(asked)
    return dict(sorted(reached.items(), key=lambda entry: -entry[1]))


def _baselines(training: Sequence[Asked]) -> Mapping[str, Baseline]:
    """Each takes a question, the table's columns and its rows, and gives one value."""
    chance = random.Random(0)  # noqa: S311 - a baseline, not a secret

    def commonest(questions: Iterator[Asked]) -> str:
        return Counter(answer for one in questions for answer in one.answers).most_common(1)[0][0]

    always = commonest(iter(training))
    counted = commonest(one for one in training if _how_many(one.question))

    def overlapping(question: str, columns: Sequence[str], rows: Rows) -> str:
        row, column = _best_row(question, rows), _best_column(question, columns, rows)
        return rows[row][column]

    def matching_rows(question: str, columns: Sequence[str], rows: Rows) -> str:
        shared = [_shared(question, row) for row in rows]
        return str(shared.count(max(shared)) if max(shared) else len(rows))

    def placed(question: str, columns: Sequence[str], rows: Rows) -> str:
        """The first or last row if the question says so, otherwise the row that shares most words."""
        words = set(tokens(question))
        row = 0 if "first" in words else len(rows) - 1 if "last" in words else _best_row(question, rows)
        return rows[row][_best_column(question, columns, rows)]

    def largest(question: str, columns: Sequence[str], rows: Rows) -> str:
        return rows[0][_best_column(question, columns, rows)]

    def either(many: Baseline, other: Baseline) -> Baseline:
        return lambda question, *table: (many if _how_many(question) else other)(question, *table)

    def constant(value: str) -> Baseline:
        return lambda *_: value

    def rows_counted(question: str, columns: Sequence[str], rows: Rows) -> str:
        return str(len(rows))

    return {
        f"always “{always}”": constant(always),
        "a random cell": lambda question, columns, rows: chance.choice(chance.choice(rows)),
        "the first cell": lambda question, columns, rows: rows[0][0],
        "the last row's first cell": lambda question, columns, rows: rows[-1][0],
        "the number of rows": rows_counted,
        "first row, best named column": largest,
        "row and column that share most words": overlapping,
        f"“how many”: “{counted}”; otherwise first row, best named column": either(
            constant(counted), largest
        ),
        "“how many”: the number of rows; otherwise the first cell": either(
            rows_counted, lambda question, columns, rows: rows[0][0]
        ),
        "“how many”: the number of rows; otherwise row and column that share most words": either(
            rows_counted, overlapping
        ),
        f"“how many”: “{counted}”; otherwise row and column that share most words": either(
            constant(counted), overlapping
        ),
        "“how many”: the number of rows that share most words; otherwise row and column that do": either(
            matching_rows, overlapping
        ),
        "“how many”: the number of rows that share most words; otherwise first, last or best row": either(
            matching_rows, placed
        ),
    }


def _how_many(question: str) -> bool:
    return any(words in question.lower() for words in ("how many", "number of", "total"))


def _words(question: str) -> set[str]:
    return {stem(token) for token in tokens(question) if len(token) > 2 or token.isdigit()}


def _shared(question: str, cells: Sequence[str]) -> int:
    return len(_words(question).intersection(word for cell in cells for word in stems(cell)))


def _best_row(question: str, rows: Rows) -> int:
    return max(range(len(rows)), key=lambda row: _shared(question, rows[row]))


def _best_column(question: str, columns: Sequence[str], rows: Rows) -> int:
    """The column whose name shares most words; of those that share none, the first that names nothing
    of the question in its best row."""
    row = rows[_best_row(question, rows)]
    return max(
        range(len(columns)),
        key=lambda column: (_shared(question, [columns[column]]), -_shared(question, [row[column]])),
    )
