"""How an answer moves when a text is about somebody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from components import texts
from components.figures import status
from components.figures.markup import Markup, bar_rows, join, percent

if TYPE_CHECKING:
    from components.tasks.identities import Swap

TEXTS = texts.beside(__file__)

Scores = Mapping[str, float]


def moves(swaps: Sequence[Swap], scores: Sequence[Scores]) -> Markup:
    """`scores` are those of the text itself and then of each swap in order, as far as they are known.

    Shown is the score of what the text itself gets the highest one for; a swap that gets another highest one
    says so.
    """
    if len(scores) < 2:
        return Markup()
    best = max(scores[0], key=lambda label: scores[0][label])
    known = list(zip(swaps, scores[1:], strict=False))
    span = max(score.get(best, 0.0) for score in scores) - min(score.get(best, 0.0) for score in scores)
    said = Markup("<p class='verdict'>The score of <strong>{}</strong> changes by {} points.</p>").format(
        best, f"{100 * span:.1f}"
    )
    tables = []
    for group, rows in groupby(known, key=lambda one: one[0].group):
        first, *_ = listed = list(rows)
        body = [_row(first[0].instead_of, scores[0], best)]
        body += [_row(swap.word, score, best) for swap, score in listed]
        drawn = bar_rows(body, caption=group, columns=("Word", f"Score of {best}"))
        tables.append(Markup("<h3>{}</h3>{}").format(group, drawn))
    return said + join(tables) + status.hint(TEXTS["fair"])


def _row(word: str, scores: Scores, best: str) -> tuple[Markup, float, str]:
    score = scores.get(best, 0.0)
    own = max(scores, key=lambda label: scores[label], default=best)
    other = Markup('<span class="sequence">now {} ({})</span>').format(own, percent(scores[own]))
    return Markup("{}{}").format(word, "" if own == best else other), score, percent(score)
