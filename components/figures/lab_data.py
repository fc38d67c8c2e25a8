"""What there is to see in a data set, as tables and drawings."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from components.figures import status, svg
from components.figures.markup import Markup, join, percent
from components.lab.convert import Converted
from components.lab.data import SPLITS, UNUSED, Data
from components.lab.explore import Box, Duplicates, Feature, Imbalance, Page
from components.lab.from_address import Remote
from components.lab.on_hub import Configuration, Found, Listing
from components.lab.roles import Column
from components.tasks.fields import shorten
from components.tasks.files import BINARY, ENCODINGS, KINDS, SEPARATORS, SHEET, TABLE

LONGEST = 400  # characters of a cell that are drawn
MOST_COLUMNS = 8  # of a page of rows
_WIDE, _NAME, _LINE = 640, 130, 28  # of the drawings, in CSS pixels
_LETTERS = 17  # of a class's name that fit


def about(data: Data, features: Sequence[Feature]) -> Markup:
    """What the data set is, what its columns are for, and what was decided on the way."""
    counted = ", ".join(f"{len(data.rows(split)):,} {split}" for split in SPLITS)
    unused = int((data.split_codes == UNUSED).sum())
    facts = [
        f"{len(data):,} rows: {counted}" + (f", {unused:,} in no split" if unused else ""),
        f"{len(data.about.labels)} classes" if data.about.labels else "no labels",
        f"from {data.about.source}",
        f"licence: {data.about.licence}",
    ]
    table = _grid(
        ("column", "type", "used as"), ((one.name, one.type, one.role or "nothing") for one in features)
    )
    return Markup(
        '<h3 dir="auto">The data: {title}</h3><div class="run-line">{facts}</div>{notes}'
        "<details><summary>Columns</summary>{table}</details>"
    ).format(
        title=data.about.title,
        facts=join(status.fact(fact) for fact in facts),
        notes=status.notes(data.about.notes),
        table=table,
    )


def draft(converted: Converted) -> Markup:
    """What was read, and how."""
    form = converted.format
    how = KINDS[form.kind]
    if form.kind == TABLE:
        header = "with" if form.header else "without"
        how += f", separator {SEPARATORS[form.separator]}, {header} a header"
    if form.kind == SHEET:
        how += f", its sheet {shorten(form.sheet)}"
    elif form.kind not in BINARY:
        how += f", {ENCODINGS.get(form.encoding, form.encoding)}"
    words = f"{converted.rows:,} rows read as {how}."
    rows = (
        (
            one.name,
            one.type,
            f"{one.missing:,}",
            f"{one.distinct:,}" if one.values else f"more than {one.distinct - 1:,}",
            " · ".join(one.examples),
        )
        for one in converted.columns
    )
    return (
        status.hint(words)
        + status.notes(converted.notes)
        + _grid(("column", "type", "empty", "different values", "for example"), rows)
    )


def choice(column: Column) -> str:
    """A column in a list to choose from."""
    what = f"{column.distinct} values" if column.values else column.type
    return f"{column.name} ({what})"


def listing(found: Listing) -> Markup:
    """What a repository holds, before anything of it is downloaded."""
    rows = (
        (one.name, ", ".join(one.splits), f"{len(one.files):,}", _size(one))
        for one in found.configurations[:50]
    )
    return Markup('<p dir="auto"><strong>{}</strong>, licence: {}</p>{}').format(
        found.repo, found.licence, _grid(("configuration", "splits", "files", "download"), rows)
    )


def _size(one: Configuration | Remote) -> str:
    return f"{one.nbytes / 1e6:,.1f} MB"


def found(one: Found) -> str:
    """A data set that a search found, in a line of text."""
    gated = "asks for its terms to be accepted" if one.gated else ""
    facts = (one.repo, one.licence, f"{one.downloads:,} downloads", gated, one.about)
    return " · ".join(filter(None, facts))


def remote(one: Remote) -> Markup:
    """A file at an address, before it is downloaded."""
    return Markup('<p dir="auto"><strong>{}</strong>, {}</p>').format(one.name, _size(one))


def rows(page: Page, data: Data, words: str) -> Markup:
    """A page of the table; what was searched for is marked."""
    if not page.found:
        return status.hint("No row fits all of that. Take a filter away, or look for less.")
    about = data.about
    first = [name for name in (about.text, about.pair, about.label, about.split) if name]
    shown = [*first, *(name for name in page.columns if name not in first)]
    left = len(shown) - MOST_COLUMNS
    places = [page.columns.index(name) for name in shown[:MOST_COLUMNS]]
    head = join(Markup('<th scope="col" dir="auto">{}</th>').format(page.columns[at]) for at in places)
    body = join(
        Markup('<tr><td class="number">{:,}</td>{}</tr>').format(
            number + 1,
            join(_cell(row[at], words if page.columns[at] == data.about.text else "") for at in places),
        )
        for number, row in zip(page.numbers, page.rows, strict=True)
    )
    return Markup(
        '<p class="hint">{found:,} rows, page {page:,} of {pages:,}.{left}</p>'
        '<div class="grid-box" tabindex="0" role="region" aria-label="Rows of the data">'
        '<table class="grid"><thead><tr><th scope="col">row</th>{head}</tr></thead><tbody>{body}</tbody>'
        "</table></div>"
    ).format(
        found=page.found,
        page=page.page + 1,
        pages=page.pages,
        left=f" {left} more columns are not shown." if left > 0 else "",
        head=head,
        body=body,
    )


def _cell(value: object, words: str) -> Markup:
    text = "" if value is None else str(value)
    cut = f" … ({len(text):,} characters)" if len(text) > LONGEST else ""
    text = text[:LONGEST]
    if not words:
        return Markup('<td dir="auto">{}{}</td>').format(text, cut)
    parts = re.split(f"({re.escape(words)})", text, flags=re.IGNORECASE)
    marked = join(Markup("<mark>{}</mark>").format(part) if at % 2 else part for at, part in enumerate(parts))
    return Markup('<td dir="auto">{}{}</td>').format(marked, cut)


# Classes


def classes(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> Markup:
    """A bar per class, parted by split; `counts` [3, classes]."""
    names = list(labels) or ["all texts"]
    totals = [sum(split[at] for split in counts) for at in range(len(names))]
    scale = (_WIDE - _NAME - 150) / max(1, *totals)
    parts = []
    for at, name in enumerate(names):
        y = at * _LINE + 4
        parts.append(_name(name, y))
        x = float(_NAME)
        for split, row in zip(SPLITS, counts, strict=True):
            if row[at]:
                said = f"{name}: {row[at]:,} {split}"
                parts.append(
                    svg.rect(x, y, row[at] * scale, _LINE - 8, cls=f"data-split {split}", title=said)
                )
                x += row[at] * scale
        share = percent(totals[at] / max(1, sum(totals)))
        parts.append(svg.text(x + 8, y + 14, f"{totals[at]:,} ({share})", cls="data-value"))
    drawn = svg.drawing(_WIDE, len(names) * _LINE + 4, parts)
    legend = join(Markup('<span class="{}">{}</span>').format(split, split) for split in SPLITS)
    return Markup('<p class="data-legend">{}</p>{}').format(
        legend,
        svg.figure(
            drawn,
            name="classes",
            label="Rows of each class, by split",
            numbers={"rows": list(SPLITS), "columns": names, "values": [list(row) for row in counts]},
        ),
    )


# Lengths


def lengths(boxes: Sequence[Box], unit: str, limit: int | None, title: str) -> Markup:
    """Box plots of a length per class; `limit` is the checkpoint's context size in the same unit."""
    most = max((box.most for box in boxes), default=1.0)
    reach = max(most, (limit or 0) if limit and limit < 3 * most else 0, 1)
    width = _WIDE - _NAME - 30
    bottom = len(boxes) * _LINE + 8

    def place(value: float) -> float:
        return _NAME + value / reach * width

    step = _step(reach)
    ticks = [at * step for at in range(int(reach // step) + 1)]
    parts = [svg.line([(place(tick), 0), (place(tick), bottom)], cls="data-rule") for tick in ticks]
    parts += [svg.text(place(tick), bottom + 15, f"{tick:,.0f}", cls="data-tick") for tick in ticks]
    parts.append(svg.text(_NAME, bottom + 31, unit, cls="data-unit"))
    for at, box in enumerate(boxes):
        y = at * _LINE + 4
        middle = y + (_LINE - 8) / 2
        said = (
            f"{box.label}: median {box.median:,.0f} {unit}, half of the texts from {box.first:,.0f} to "
            f"{box.third:,.0f}, longest {box.most:,.0f}; {box.count:,} texts"
        )
        parts += [
            _name(box.label, y),
            svg.line([(place(box.low), middle), (place(box.high), middle)], cls="data-whisker"),
            svg.rect(
                place(box.first),
                y,
                max(1.0, place(box.third) - place(box.first)),
                _LINE - 8,
                cls="data-box",
                title=said,
            ),
            svg.line([(place(box.median), y), (place(box.median), y + _LINE - 8)], cls="data-median"),
        ]
        if box.beyond:
            farthest = f"{box.label}: {box.beyond:,} texts lie beyond the line, up to {box.most:,.0f} {unit}"
            parts += [
                svg.rect(place(box.most) - 2, middle - 2, 4, 4, cls="data-beyond", title=farthest),
            ]
    if limit and limit <= reach:
        parts.append(svg.line([(place(limit), 0), (place(limit), bottom)], cls="data-limit"))
    drawn = svg.drawing(_WIDE, bottom + 38, parts)
    figure = svg.figure(
        drawn,
        name=f"{unit}-per-class",
        label=title,
        numbers={
            "rows": [box.label for box in boxes],
            "columns": ["low", "first quartile", "median", "third quartile", "high", "longest"],
            "values": [[box.low, box.first, box.median, box.third, box.high, box.most] for box in boxes],
        },
    )
    return Markup("<h4>{}</h4>{}{}").format(title, figure, _against(boxes, unit, limit))


def _against(boxes: Sequence[Box], unit: str, limit: int | None) -> Markup:
    if limit is None:
        return Markup()
    most = max((box.most for box in boxes), default=0.0)
    if most <= limit:
        return status.hint(
            f"The checkpoint reads {limit:,} {unit} at once; the longest text has {most:,.0f}, so nothing is "
            "cut off."
        )
    return status.hint(
        f"The checkpoint reads {limit:,} {unit} at once (dashed line); the longest text has {most:,.0f}, and "
        "what lies beyond the line is cut off in training."
    )


def _step(reach: float) -> float:
    """A round distance between ticks, for five or so of them."""
    rough = reach / 5
    power = 10 ** math.floor(math.log10(max(rough, 1)))
    return max(1.0, next(power * by for by in (1, 2, 5, 10) if power * by >= rough))


def _name(name: str, y: float) -> Markup:
    short = name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"
    return svg.text(_NAME - 8, y + 14, short, cls="data-name", title=name)


# Duplicates


def duplicates(found: Duplicates) -> Markup:
    said = []
    for (one, other), count in found.across.items():
        if count:
            said.append(
                f"{_rows(count)} of {one} also {_are(count)} in {other}: a model that has seen the answer is "
                f"judged too kindly there."
            )
    for split, count in found.within.items():
        if count:
            said.append(f"{_rows(count)} of {split} repeat{'s' * (count == 1)} an earlier one.")
    if found.contradictory:
        texts = "1 text has" if found.contradictory == 1 else f"{found.contradictory:,} texts have"
        said.append(f"{texts} different labels in different rows: at least one of them is wrong.")
    if not said:
        return status.hint("No text occurs twice, whatever its case and blanks.")
    rows = (
        (
            group.text[:LONGEST],
            f"{group.count:,}",
            "; ".join(
                f"row {copy.row + 1:,} {copy.split} {copy.label or ''}".strip() for copy in group.copies
            )
            + (" …" if group.count > len(group.copies) else ""),
            "labels differ" if group.contradictory else "",
        )
        for group in found.groups
    )
    return status.notes(said) + _grid(("text", "times", "where", ""), rows)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


# Imbalance


def imbalance(found: Imbalance | None) -> Markup:
    if found is None:
        return status.hint("There are no labelled training rows to compare.")
    if found.ratio == 1:
        words = "All classes have as many training rows."
    else:
        large = found.labels[found.counts.index(found.over)]
        small = found.labels[found.counts.index(found.under)]
        words = (
            f"{large} has {found.ratio:,.1f} times as many training rows as {small}. A model that always "
            f"said {large} would be right in {percent(found.over / sum(found.counts))} of the training rows."
        )
    many = len(found.labels)
    rows = [
        (
            label,
            f"{count:,}",
            f"{found.over:,} (each row {found.over / count:,.1f} times)",
            f"{found.under:,}",
        )
        for label, count in zip(found.labels, found.counts, strict=True)
    ]
    rows.append(
        (
            "all training rows",
            f"{sum(found.counts):,}",
            f"{many * found.over:,}",
            f"{many * found.under:,} ({percent(many * found.under / sum(found.counts))} of the rows kept)",
        )
    )
    return status.hint(words) + _grid(("class", "training rows", "over-sampled", "under-sampled"), rows)


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    """A table that scrolls in its own box."""
    return Markup(
        '<div class="grid-box" tabindex="0" role="region" aria-label="{label}"><table class="grid">'
        "<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    ).format(
        label=", ".join(filter(None, head)),
        head=join(Markup('<th scope="col">{}</th>').format(name) for name in head),
        body=join(
            Markup("<tr>{}</tr>").format(join(Markup('<td dir="auto">{}</td>').format(cell) for cell in row))
            for row in rows
        ),
    )
