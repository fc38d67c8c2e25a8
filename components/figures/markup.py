"""The few pieces of HTML that every figure is made of.

Callers pass raw text; whatever a visitor or a model wrote is escaped here and only here.
`Markup` marks text that already is HTML, so that nothing is escaped twice or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from markupsafe import Markup, escape

from components import templates

__all__ = ["Markup", "bar_rows", "byte_size", "escape", "join", "percent", "table"]

FILL = templates.beside(__file__, min=min, max=max)


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
    return FILL("table", label=label or ", ".join(filter(None, heads)), heads=heads, rows=rows)


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
    return FILL("bar_rows", caption=caption, columns=columns, rows=rows, best=best)
