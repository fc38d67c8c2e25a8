"""A visitor's runs as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.figures import status
from components.figures.markup import Markup, join


@dataclass(frozen=True, kw_only=True)
class Row:
    """One run; `score` is its best validation macro F1 in [0, 1], `removable` says that it is not in line."""

    id: str
    title: str
    settings: str
    data: str
    state: str
    score: float | None
    seconds: float | None
    model: str | None
    removable: bool


def settings(options: Mapping[str, Any]) -> str:
    """A run's options in a line."""
    return ", ".join(
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {str(value)[:40]}"
        for name, value in options.items()
    )


def runs_table(rows: Sequence[Row]) -> Markup:
    """Newest first, each with a button (`data-run` is its id) that removes it."""
    if not rows:
        return status.hint("Nothing has been trained yet.")
    heads = join(
        Markup('<th scope="col">{}</th>').format(title)
        for title in ("Run", "Data", "State", "Validation macro F1", "Time", "Checkpoint", "")
    )
    return Markup(
        '<div class="grid-box" tabindex="0" role="region" aria-label="Your runs"><table class="grid">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    ).format(heads, join(map(_row, rows)))


def _row(row: Row) -> Markup:
    button = (
        Markup('<button type="button" data-run="{}" aria-label="Remove {} {}">Remove</button>').format(
            row.id, row.title, row.settings
        )
        if row.removable
        else Markup()
    )
    return Markup(
        '<tr><th scope="row">{}<span class="sequence">{}</span></th><td dir="auto">{}</td><td>{}</td>'
        "<td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>"
    ).format(
        row.title,
        row.settings,
        row.data,
        row.state,
        "" if row.score is None else f"{row.score:.3f}",
        "" if row.seconds is None else status.duration(row.seconds),
        row.model or "",
        button,
    )
