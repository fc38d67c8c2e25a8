"""The last rows of a file that is being answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components.figures.markup import Markup, join

# Characters of a cell that are drawn; the file has them all.
LONGEST = 200


def answered(rows: Sequence[Mapping[str, str]], asked: Sequence[str], *, total: int) -> Markup:
    """A table of what was asked, from the columns `asked`, with the answer or what stood in its way."""
    head = join(Markup('<th scope="col" dir="auto">{}</th>').format(name) for name in (*asked, "answer"))
    body = join(
        Markup("<tr>{}{}</tr>").format(
            join(Markup('<td dir="auto">{}</td>').format(_short(row.get(name, ""))) for name in asked),
            Markup('<td dir="auto"{}>{}</td>').format(
                Markup(' class="wrong"') if row["error"] else "", _short(row["error"] or row["answer"])
            ),
        )
        for row in rows
    )
    above = total - len(rows)
    caption = (
        Markup('<p class="hint">{:,} rows above these are in the file.</p>').format(above) if above else ""
    )
    return Markup(
        '{}<div class="grid-box" tabindex="0" role="region" aria-label="The last rows answered">'
        '<table class="grid"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    ).format(caption, head, body)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
