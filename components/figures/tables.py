"""Tables drawn with the cells that an answer comes from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from components.figures.markup import Markup, bar_rows, join, percent

Json = Mapping[str, Any]

# A longer table is drawn in part: its beginning, and every row that has a marked cell.
MOST_ROWS = 60


def table_answer(request: Json, answer: Json) -> Markup:
    """The answer, how the question was understood, the table, and the other answers it may have had."""
    candidates = answer["candidates"]
    figure = Markup(
        '<p class="table-answer" dir="auto"><strong>{answer}</strong></p>'
        '<p class="reading" dir="auto">{reading}</p>{table}'
    ).format(
        answer=answer["answer"] or "(an empty cell)",
        reading=f"Read as: {candidates[0]['explanation']}.",
        table=grid(
            request["table"]["columns"], request["table"]["rows"], {tuple(cell) for cell in answer["cells"]}
        ),
    )
    if len(candidates) == 1:
        return figure
    return figure + bar_rows(
        (
            (
                Markup('<strong>{}</strong><span class="sequence">{}</span>').format(
                    one["answer"] or "(an empty cell)", one["explanation"]
                ),
                one["score"],
                percent(one["score"]),
            )
            for one in candidates
        ),
        caption="Answers by how the question may be read, most likely first",
        columns=("Answer", "Score"),
    )


def grid(
    columns: Sequence[str], rows: Sequence[Sequence[object]], marked: Collection[tuple[int, ...]]
) -> Markup:
    """A table with some cells, (row, column), marked; it scrolls in its own box."""
    head = join(Markup('<th scope="col" dir="auto">{}</th>').format(name) for name in columns)
    rows_marked = {row for row, _ in marked}
    shown = [index for index in range(len(rows)) if index < MOST_ROWS or index in rows_marked]
    body, after = [], 0
    for index in shown:
        body.append(_left_out(index - after, len(columns)))
        body.append(
            Markup("<tr>{}</tr>").format(
                join(_cell(cell, (index, at) in marked) for at, cell in enumerate(rows[index]))
            )
        )
        after = index + 1
    body.append(_left_out(len(rows) - after, len(columns)))
    return Markup(
        '<div class="grid-box" tabindex="0" role="region" aria-label="The table, cells of the answer marked">'
        '<table class="grid"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    ).format(head, join(body))


def _cell(text: object, marked: bool) -> Markup:
    written = "" if text is None else str(text)
    if not marked:
        return Markup('<td dir="auto">{}</td>').format(written)
    return Markup('<td dir="auto" class="marked"><mark>{}</mark></td>').format(written)


def _left_out(count: int, width: int) -> Markup:
    if not count:
        return Markup()
    words = "1 row is not drawn" if count == 1 else f"{count:,} rows are not drawn"
    return Markup('<tr class="left-out"><td colspan="{}">{}</td></tr>').format(width, words)
