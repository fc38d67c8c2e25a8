"""Drawings as SVG, and the frame around a figure from which a visitor takes it home.

Colours and fonts come from the style sheet by class; `exports.js` writes what the page computes of them into
what it saves, because a file knows no style sheet.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from components.figures.markup import Markup, join

FORMATS = ("svg", "png", "json", "npy")


def figure(svg: Markup, *, name: str, label: str, numbers: Mapping[str, object]) -> Markup:
    """A drawing with buttons that save it as SVG, PNG, JSON and, of numbers "values", as a NumPy array.

    `svg` is one `<svg>` element. `name` becomes the files' name. `label` says in words what is drawn.
    `numbers` are texts, numbers and (nested) lists; "values" is offered as an array if it is rectangular.
    Raises `ValueError` for what JSON cannot hold: infinities, and what is not a number.
    """
    if not svg.startswith("<svg"):
        raise ValueError("a figure is drawn around one <svg> element")
    drawn = Markup('<svg role="img" aria-label="{}"').format(label) + svg[len("<svg") :]
    offered = FORMATS if shape(numbers.get("values")) else FORMATS[:-1]
    return Markup(
        '<figure class="drawn" data-name="{name}" data-numbers="{numbers}">'
        '<div class="drawn-box" tabindex="0" role="group" aria-label="{label}">{drawn}</div>'
        '<div class="drawn-exports" role="group" aria-label="Download"><span>Download</span>{buttons}</div>'
        "</figure>"
    ).format(
        name=name,
        numbers=json.dumps(numbers, ensure_ascii=False, allow_nan=False, separators=(",", ":")),
        label=label,
        drawn=drawn,
        buttons=join(
            Markup('<button type="button" data-export="{}">{}</button>').format(
                each, each if each == "npy" else each.upper()
            )
            for each in offered
        ),
    )


def shape(values: object) -> tuple[int, ...] | None:
    """The sides of a (nested) list of numbers; None if it is ragged, empty, or has anything else in it."""
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        return None
    if all(isinstance(value, int | float) for value in values):
        return (len(values),)
    inner = {shape(value) for value in values}
    [first, *rest] = inner
    return None if rest or first is None else (len(values), *first)


def drawing(width: float, height: float, parts: Iterable[Markup], *, cls: str = "") -> Markup:
    """An `<svg>` of so many CSS pixels. It grows with its figure, a low one more than a high one; one that
    is wider is scrolled there."""
    grow = 1.8 if height <= 320 else 1.3 if height <= 520 else 1.1
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="{cls}" '
        'style="--width:{width:.0f}px;--grow:{grow}" width="{width:.0f}" height="{height:.0f}" '
        'viewBox="0 0 {width:.0f} {height:.0f}">{parts}</svg>'
    ).format(cls=cls, width=width, height=height, grow=grow, parts=join(parts))


def text(x: float, y: float, words: str, *, cls: str = "", title: str = "") -> Markup:
    """One line of text; `y` is its baseline."""
    return Markup('<text x="{x:.1f}" y="{y:.1f}" class="{cls}">{title}{words}</text>').format(
        x=x, y=y, cls=cls, title=_title(title), words=words
    )


def rect(
    x: float, y: float, width: float, height: float, *, cls: str = "", share: float = 1.0, title: str = ""
) -> Markup:
    """A box; `share`, in [0, 1], is how much of its colour it has."""
    return Markup(
        '<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" class="{cls}" '
        'fill-opacity="{share:.3f}">{title}</rect>'
    ).format(x=x, y=y, width=width, height=height, cls=cls, share=share, title=_title(title))


def line(points: Iterable[tuple[float, float]], *, cls: str = "", title: str = "") -> Markup:
    """A line through points."""
    return Markup('<polyline points="{points}" class="{cls}" fill="none">{title}</polyline>').format(
        points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), cls=cls, title=_title(title)
    )


def _title(words: str) -> Markup:
    """What is said when one points at it."""
    return Markup("<title>{}</title>").format(words) if words else Markup()
