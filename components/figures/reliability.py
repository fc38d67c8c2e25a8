"""A reliability diagram: are answers with a score of 80 % right in 80 of 100 cases?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.figures.markup import Markup, join

Bin = Mapping[str, Any]

SIDE = 240  # of the square, in the drawing's units


def diagram(bins: Sequence[Bin], split: str) -> Markup:
    """`bins` as an evaluation has them: `low`, `high`, `count`, `score` (the mean) and `right` (a share)."""
    return Markup(
        '<figure class="reliability">{}<figcaption>'
        "A score is the network's own number, not a probability. If it were one, the columns would reach the "
        "dashed line. Measured on {}.</figcaption></figure>{}"
    ).format(_square(bins), split, _table(bins))


def side_by_side(diagrams: Sequence[tuple[str, str, Sequence[Bin]]]) -> Markup:
    """Diagrams, each with a title and what is said of it; their numbers in tables to unfold."""
    return Markup('<div class="reliability-pair">{}</div>').format(
        join(
            Markup(
                '<figure class="reliability"><h4>{}</h4>{}<figcaption>{}</figcaption>'
                "<details><summary>Numbers</summary>{}</details></figure>"
            ).format(title, _square(bins), said, _table(bins))
            for title, said, bins in diagrams
        )
    )


def _square(bins: Sequence[Bin]) -> Markup:
    columns = join(
        Markup(
            '<rect class="reached" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}">'
            "<title>{said}</title></rect>"
        ).format(
            x=one["low"] * SIDE,
            y=(1 - one["right"]) * SIDE,
            width=(one["high"] - one["low"]) * SIDE - 2,
            height=one["right"] * SIDE,
            said=f"{one['count']:,} with {one['low']:.0%} to {one['high']:.0%}: {one['right']:.0%} right",
        )
        for one in bins
    )
    return Markup(
        '<svg viewBox="-46 -8 {box} {box}" role="img" '
        'aria-label="Share of right answers by score; the table has the numbers">'
        '<line class="even" x1="0" y1="{side}" x2="{side}" y2="0"/>{columns}'
        '<path class="axes" d="M0 0V{side}H{side}"/>'
        '<text x="-6" y="4" class="end">100 %</text><text x="-6" y="{side}" class="end">0</text>'
        '<text x="{side}" y="{below}" class="end">100 % score</text></svg>'
    ).format(box=SIDE + 54, side=SIDE, below=SIDE + 16, columns=columns)


def _table(bins: Sequence[Bin]) -> Markup:
    rows = join(
        Markup("<tr><td>{:.0%} to {:.0%}</td><td>{:,}</td><td>{:.0%}</td><td>{:.0%}</td></tr>").format(
            one["low"], one["high"], one["count"], one["score"], one["right"]
        )
        for one in bins
    )
    return Markup(
        '<table class="grid"><thead><tr><th scope="col">Score</th><th scope="col">Answers</th>'
        '<th scope="col">Mean score</th><th scope="col">Right</th></tr></thead><tbody>{}</tbody></table>'
    ).format(rows)
