"""Answers to one request side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from components import texts
from components.figures.markup import Markup, join

TEXTS = texts.beside(__file__)

# What the answers have in common is named up to here.
MOST_NAMED = 6


@dataclass(frozen=True, kw_only=True)
class Column:
    """One answer: its figure under a title, facts of its run, and what it says in parts that can be compared.

    `summary` is None where there is no answer (yet). `among` are the labels that were to choose from, if any.
    """

    title: str
    figure: Markup
    facts: Markup
    summary: Sequence[str] | None = None
    among: Sequence[str] = ()


def side_by_side(columns: Sequence[Column]) -> Markup:
    drawn = join(
        Markup('<section class="column"><h3>{}</h3>{}<div class="run-line">{}</div></section>').format(
            column.title, column.figure, column.facts
        )
        for column in columns
    )
    return Markup('<p class="verdict">{}</p><div class="side-by-side">{}</div>').format(
        agreement(columns), drawn
    )


def agreement(columns: Sequence[Column]) -> str:
    """In words how far the answers are the same; nothing while some are missing."""
    summary = [set(column.summary) for column in columns if column.summary is not None]
    if len(summary) < len(columns) or len(summary) < 2:
        return ""
    among = [set(column.among) for column in columns]
    if all(among) and not set.intersection(*among):
        return TEXTS["no-common-label"]
    common, every = set.intersection(*summary), set.union(*summary)
    if common == every:
        return "All say the same." if len(summary) > 2 else "Both say the same."
    if not common:
        return "They have nothing in common." if len(every) > len(summary) else "They differ."
    named = ", ".join(sorted(common)[:MOST_NAMED]) + (" …" if len(common) > MOST_NAMED else "")
    return f"They agree on {len(common):,} of {len(every):,}: {named}"
