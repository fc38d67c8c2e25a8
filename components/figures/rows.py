"""The last rows of a file that is being answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components import templates
from components.figures.markup import Markup

# Characters of a cell that are drawn; the file has them all.
LONGEST = 200


def answered(rows: Sequence[Mapping[str, str]], asked: Sequence[str], *, total: int) -> Markup:
    """A table of what was asked, from the columns `asked`, with the answer or what stood in its way."""
    return FILL("answered", columns=asked, rows=rows, above=total - len(rows))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


FILL = templates.beside(__file__, short=_short)
