"""The few pieces of HTML that every figure is made of.

Callers pass raw text; whatever a visitor or a model wrote is escaped here and only here.
`Markup` marks text that already is HTML, so that nothing is escaped twice or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from markupsafe import Markup, escape

__all__ = ["Markup", "bar_rows", "byte_size", "escape", "join", "percent", "table"]


def join(parts: Iterable[str | Markup], separator: str | Markup = "") -> Markup:
    return Markup(escape(separator)).join(parts)


def percent(share: float, digits: int = 1) -> str:
    """0.9731 -> "97.3 %"; what is not quite nothing or everything never reads as if it were."""
    step = 10.0**-digits
    if 0 < share < step / 200:
        return f"< {step:.{digits}f} %"
    if 1 - step / 200 < share < 1:
        return f"> {100 - step:.{digits}f} %"
    return f"{share * 100:.{digits}f} %"


def byte_size(nbytes: int) -> str:
    """Decimal units, as download pages and disks use them."""
    size = float(nbytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:.0f} {unit}" if unit in ("B", "kB") or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError("unreachable")


def table(heads: Sequence[str], rows: Iterable[Iterable[str]], label: str = "") -> Markup:
    """A table of texts that scrolls in its own box; without a `label` its columns name it."""
    return Markup(
        '<div class="grid-box" tabindex="0" role="region" aria-label="{}"><table class="grid">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    ).format(
        label or ", ".join(filter(None, heads)),
        join(Markup('<th scope="col" dir="auto">{}</th>').format(head) for head in heads),
        join(
            Markup("<tr>{}</tr>").format(join(Markup('<td dir="auto">{}</td>').format(cell) for cell in row))
            for row in rows
        ),
    )


def bar_rows(
    rows: Iterable[tuple[str | Markup, float, str]],
    *,
    caption: str,
    columns: tuple[str, str],
    best: Collection[int] = (0,),
) -> Markup:
    """A table with a bar behind every row: (label, share of the full width in [0, 1], value as text).
    The rows at the places `best` stand out.

    A table and not an SVG, so that a screen reader reads label and value, and text wraps.
    """
    body = join(
        Markup(
            '<tr{best}><th scope="row" dir="auto">{label}</th><td class="bar-cell">'
            '<span class="bar" style="--share:{share:.4f}"></span></td><td class="value">{value}</td></tr>'
        ).format(
            best=Markup(' class="best"') if index in best else "",
            label=label,
            share=min(1.0, max(0.0, share)),
            value=value,
        )
        for index, (label, share, value) in enumerate(rows)
    )
    return Markup(
        '<table class="bars"><caption class="visually-hidden">{caption}</caption>'
        '<thead class="visually-hidden"><tr><th scope="col">{first}</th><td></td>'
        '<th scope="col">{second}</th></tr></thead><tbody>{body}</tbody></table>'
    ).format(caption=caption, first=columns[0], second=columns[1], body=body)
