"""The families of transformers by what may read from what: the same mask drawn as lines and as a matrix."""

from __future__ import annotations

from collections.abc import Sequence

from components.figures import svg
from components.figures.markup import Markup

WIDE = 300  # CSS pixels: fits a phone
BOX, GAP, LIFT = 22, 3, 78  # height of a token's box, space beside it, from the upper box to the lower
CELL_WIDE, CELL_HIGH, LABEL = 40, 24, 54  # of the matrix: a cell, and what stands left of its rows


def may_read(source: int, target: int) -> list[list[bool]]:
    """The mask of a network that reads `source` tokens at once and writes `target` tokens one by one.

    Row i says from which tokens token i may read: [source + target, source + target]. With no target it is
    an encoder, with no source a decoder.
    """
    count = source + target
    return [
        [column < source if row < source else column <= row for column in range(count)]
        for row in range(count)
    ]


def drawn(source: Sequence[str], target: Sequence[str], label: str) -> Markup:
    """Lines between tokens above, the matrix below; `label` says in words what one sees."""
    tokens = [*source, *target]
    mask = may_read(len(source), len(target))
    top = BOX + LIFT + 46  # where the matrix begins
    left = LABEL + (WIDE - LABEL - CELL_WIDE * len(tokens)) / 2
    parts = [*_lines(tokens, len(source), mask), *_matrix(tokens, len(source), mask, left, top)]
    drawing = svg.drawing(WIDE, top + CELL_HIGH * len(tokens) + 4, parts, cls="architecture")
    return Markup('<svg role="img" aria-label="{}"').format(label) + drawing[len("<svg") :]


def _lines(tokens: Sequence[str], source: int, mask: Sequence[Sequence[bool]]) -> list[Markup]:
    step = WIDE / len(tokens)
    middles = [(place + 0.5) * step for place in range(len(tokens))]
    below = BOX + LIFT
    lines = [
        svg.line(
            [(middles[row], BOX), (middles[column], below)],
            cls="reads across" if column < source <= row else "reads",
        )
        for row, allowed in enumerate(mask)
        for column, may in enumerate(allowed)
        if may
    ]
    boxes = [
        part
        for top in (0, below)
        for place, token in enumerate(tokens)
        for part in (
            svg.rect(
                place * step + GAP, top, step - 2 * GAP, BOX, cls="read" if place < source else "written"
            ),
            svg.text(middles[place], top + BOX - 7, token, cls="middle"),
        )
    ]
    return [*lines, *boxes]


def _matrix(
    tokens: Sequence[str], source: int, mask: Sequence[Sequence[bool]], left: float, top: float
) -> list[Markup]:
    parts = [
        part
        for place, token in enumerate(tokens)
        for part in (
            svg.text(left - 6, top + (place + 0.5) * CELL_HIGH + 4, token, cls="end"),
            svg.text(left + (place + 0.5) * CELL_WIDE, top - 6, token, cls="middle small"),
        )
    ]
    for row, allowed in enumerate(mask):
        for column, may in enumerate(allowed):
            x, y = left + column * CELL_WIDE, top + row * CELL_HIGH
            kind = ("across" if column < source <= row else "may") if may else "hidden"
            said = f"“{tokens[row]}” {'reads from' if may else 'cannot see'} “{tokens[column]}”"
            parts.append(svg.rect(x + 1, y + 1, CELL_WIDE - 2, CELL_HIGH - 2, cls=kind, title=said))
            if not may:
                middle = x + CELL_WIDE / 2
                parts.append(svg.line([(middle - 6, y + CELL_HIGH - 6), (middle + 6, y + 6)], cls="stroke"))
    return parts
