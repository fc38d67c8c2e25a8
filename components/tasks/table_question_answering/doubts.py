"""What speaks against an answer about a table: words that name nothing in it, readings that may surprise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from components.tasks.table_question_answering.numbers import explain
from components.tasks.table_question_answering.programs import Program
from components.tasks.table_question_answering.questions import EMPTY_WORDS, Question, alike, called, quote
from components.tasks.table_question_answering.table import Column, Table
from components.tasks.table_question_answering.values import stem, word_set
from components.texts import in_folder

TEXTS = in_folder(__file__)

# Words that say what is to be done with a table, not what is in it.
_ASKING = frozenset(
    map(
        stem,
        word_set("asking"),
    )
)
_ARTICLES = word_set("articles")
_REFERRING = word_set("referring")


def notes(table: Table, question: Question, program: Program) -> list[str]:
    """What to know about an answer, in sentences."""
    found = []
    if words := nowhere(table, question):
        names = ", ".join(map(quote, words))
        found.append(TEXTS["unknown_words"].format(words=names))
    if refers := _refers(question, program):
        found.append(TEXTS["separate_questions"].format(word=quote(refers)))
    for column in _measured(table, program):
        found += explain(called(column), column.numbers)
    return found


def nowhere(table: Table, question: Question) -> list[str]:
    """The names in a question, and the columns that it asks for, that the table has no trace of."""
    known = frozenset(
        chain.from_iterable(
            chain((column.name_stems for column in table.columns), *(one.stems for one in table.columns))
        )
    )
    missing = [
        at
        for at in range(len(question.tokens))
        if _names_something(question, at) and not _is_known(question.stems[at], known)
    ]
    runs: list[list[int]] = []
    for at in missing:
        if runs and runs[-1][-1] == at - 1:
            runs[-1].append(at)
        else:
            runs.append([at])
    return [" ".join(question.written[at] for at in run) for run in runs]


def _names_something(question: Question, at: int) -> bool:
    """Whether a word must be in the table: a proper name, whatever "of" or "'s" goes with, a year."""
    token, root = question.tokens[at], question.stems[at]
    if at in question.names:
        return root not in _ASKING
    if token.isdigit():
        return len(token) == 4 and at not in question.bounds
    if len(token) < 3 or token in EMPTY_WORDS or root in _ASKING or not token.isalpha():
        return False
    before = [one for one in question.tokens[max(0, at - 2) : at] if one not in _ARTICLES]
    after = question.tokens[at + 1] if at + 1 < len(question.tokens) else ""
    article = at > 0 and question.tokens[at - 1] in _ARTICLES
    if after == "s" and question.owns(at + 1):
        return True
    if at and question.tokens[at - 1] == "s" and question.owns(at - 1):
        return True
    if article and after == "of":
        return True
    return (
        bool(before) and before[-1] in ("of", "for") and after in ("", "in", "and", "or", "from", "on", "at")
    )


def _is_known(word: str, known: frozenset[str]) -> bool:
    return word in known or any(
        alike(word, other) or (len(word) > 2 and other.startswith(word))
        for other in known
        if other[:1] == word[:1]
    )


def _refers(question: Question, program: Program) -> str | None:
    """A pronoun that nothing in the question explains."""
    if program.selection.covered or question.names:
        return None
    for at, token in enumerate(question.tokens):
        if token in _REFERRING:
            return None if {"which", "who", "whose"}.intersection(question.tokens[:at]) else token
    return None


def _measured(table: Table, program: Program) -> Iterator[Column]:
    """The columns of numbers that an answer is computed from."""
    used: Sequence[Column | None] = [program.order]
    if program.operation == "column_difference":
        used = [program.answer, program.order]
    indices = {one.index for one in used if one and one.kind == "number"}
    if program.selection.compares:
        indices |= {*program.selection.columns}
    for index in sorted(indices):
        if table.columns[index].kind == "number":
            yield table.columns[index]
