"""What there is to see in a data set, as tables and drawings."""

from __future__ import annotations

import re
from collections.abc import Sequence

from components import templates, texts
from components.figures import chart, status
from components.figures.chart import Chart
from components.figures.markup import Markup, join, percent, table
from components.lab.convert import Converted
from components.lab.data import SPLITS, UNUSED, Data
from components.lab.explore import Box, Duplicates, Feature, Imbalance, Page
from components.lab.from_address import Remote
from components.lab.on_hub import Configuration, Found, Listing
from components.lab.roles import Column
from components.tasks.fields import shorten
from components.tasks.files import BINARY, ENCODINGS, KINDS, SEPARATORS, SHEET, TABLE

TEXTS = texts.beside(__file__)

LONGEST = 400  # characters of a cell that are drawn
MOST_COLUMNS = 8  # of a page of rows
_LINE = 28  # CSS pixels of a class in a chart


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
    columns = table(
        ("column", "type", "used as"), ((one.name, one.type, one.role or "nothing") for one in features)
    )
    return Markup(
        '<h3 dir="auto">The data: {title}</h3><div class="run-line">{facts}</div>{notes}'
        "<details><summary>Columns</summary>{columns}</details>"
    ).format(
        title=data.about.title,
        facts=join(status.fact(fact) for fact in facts),
        notes=status.notes(data.about.notes),
        columns=columns,
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
        + table(("column", "type", "empty", "different values", "for example"), rows)
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
        found.repo, found.licence, table(("configuration", "splits", "files", "download"), rows)
    )


def _size(one: Configuration | Remote) -> str:
    return f"{one.nbytes / 1e6:,.1f} MB"


def found(one: Found) -> str:
    """A data set that a search found, in a line of text."""
    gated = "requires you to accept its terms" if one.gated else ""
    facts = (one.repo, one.licence, f"{one.downloads:,} downloads", gated, one.about)
    return " · ".join(filter(None, facts))


def remote(one: Remote) -> Markup:
    """A file at an address, before it is downloaded."""
    return Markup('<p dir="auto"><strong>{}</strong>, {}</p>').format(one.name, _size(one))


def rows(page: Page, data: Data, words: str) -> Markup:
    """A page of the table; what was searched for is marked."""
    if not page.found:
        return status.hint(TEXTS["nothing"])
    about = data.about
    first = [name for name in (about.text, about.pair, about.label, about.split) if name]
    shown = [*first, *(name for name in page.columns if name not in first)]
    left = len(shown) - MOST_COLUMNS
    places = [page.columns.index(name) for name in shown[:MOST_COLUMNS]]
    return FILL("rows", page=page, shown=places, left=left, words=words, searched=about.text)


def _cell(value: object, words: str) -> Markup:
    text = "" if value is None else str(value)
    cut = f" … ({len(text):,} characters)" if len(text) > LONGEST else ""
    text = text[:LONGEST]
    if not words:
        return Markup('<td dir="auto">{}{}</td>').format(text, cut)
    parts = re.split(f"({re.escape(words)})", text, flags=re.IGNORECASE)
    marked = join(Markup("<mark>{}</mark>").format(part) if at % 2 else part for at, part in enumerate(parts))
    return Markup('<td dir="auto">{}{}</td>').format(marked, cut)


FILL = templates.beside(__file__, cell=_cell)


# Classes


def classes(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> Chart:
    """A bar per class, parted by split; `counts` [3, classes]."""
    names = list(labels) or ["all texts"]
    totals = [sum(split[at] for split in counts) for at in range(len(names))]
    written = [f"{total:,} ({percent(total / max(1, sum(totals)), 0)})" for total in totals]
    places = list(range(len(names)))
    bars = [
        {
            "type": "bar",
            "orientation": "h",
            "name": split,
            "x": list(row),
            "y": places,
            "marker": {"color": colour},
            "text": [chart.plain(name) for name in names],
            "textposition": "none",
            "hovertemplate": f"%{{text}}: %{{x:,}} {split}<extra></extra>",
        }
        for split, row, colour in zip(SPLITS, counts, chart.COLOURS, strict=False)
    ]
    ends = {
        "type": "scatter",
        "mode": "text",
        "x": totals,
        "y": places,
        "text": [f" {words}" for words in written],
        "textposition": "middle right",
        "cliponaxis": False,
        "hoverinfo": "skip",
        "showlegend": False,
    }
    return Chart(
        figure=chart.figure(
            [*bars, ends],
            height=len(names) * _LINE + 90,
            barmode="stack",
            bargap=0.3,
            margin={"l": 8, "r": 90, "t": 50, "b": 8},
            xaxis=chart.axis("rows", rangemode="tozero"),
            yaxis=chart.named(names),
        ),
        name="classes",
        label="Rows of each class, by split",
        numbers=table(
            ("class", *SPLITS, "together"),
            ((name, *(f"{row[at]:,}" for row in counts), written[at]) for at, name in enumerate(names)),
        ),
    )


# Lengths


def lengths(boxes: Sequence[Box], unit: str, limit: int | None, title: str) -> Chart:
    """Box plots of a length per class; `limit` is the checkpoint's context size in the same unit."""
    names = [box.label for box in boxes]
    most = max((box.most for box in boxes), default=1.0)
    drawn = {
        "type": "box",
        "orientation": "h",
        "y": list(range(len(boxes))),
        "q1": [box.first for box in boxes],
        "median": [box.median for box in boxes],
        "q3": [box.third for box in boxes],
        "lowerfence": [box.low for box in boxes],
        "upperfence": [box.high for box in boxes],
        "line": {"color": chart.COLOURS[0]},
        "hoverinfo": "x",
    }
    far = [(at, box) for at, box in enumerate(boxes) if box.beyond]
    farthest = {
        "type": "scatter",
        "mode": "markers",
        "x": [box.most for _, box in far],
        "y": [at for at, _ in far],
        "marker": {"symbol": "square-open", "color": chart.COLOURS[0], "size": 8},
        "text": [f"{box.beyond:,} texts lie beyond the line, up to {box.most:,.0f} {unit}" for _, box in far],
        "hovertemplate": "%{text}<extra></extra>",
    }
    edge = {"line": {"color": chart.COLOURS[1], "width": 2, "dash": "dash"}, "x0": limit, "x1": limit}
    return Chart(
        figure=chart.figure(
            [drawn, farthest],
            height=len(boxes) * _LINE + 100,
            showlegend=False,
            xaxis=chart.axis(title, rangemode="tozero"),
            yaxis=chart.named(names),
            shapes=[{"type": "line", "yref": "paper", "y0": 0, "y1": 1, **edge}]
            if limit and limit < 3 * most
            else [],
        ),
        name=f"{unit}-per-class",
        label=f"{title}: a box plot for each class",
        said=_against(boxes, unit, limit),
        numbers=table(
            ("class", "texts", "low", "first quartile", "median", "third quartile", "high", "longest"),
            (
                (
                    box.label,
                    f"{box.count:,}",
                    *(
                        f"{value:,.0f}"
                        for value in (box.low, box.first, box.median, box.third, box.high, box.most)
                    ),
                )
                for box in boxes
            ),
        ),
    )


def _against(boxes: Sequence[Box], unit: str, limit: int | None) -> Markup:
    if limit is None:
        return Markup()
    most = max((box.most for box in boxes), default=0.0)
    said = TEXTS["limit.fits" if most <= limit else "limit.exceeded"]
    return status.hint(said.format(limit=limit, unit=unit, longest=most))


# Duplicates


def duplicates(found: Duplicates) -> Markup:
    said = []
    for (one, other), count in found.across.items():
        if count:
            said.append(
                TEXTS["duplicates.across"].format(rows=_rows(count), are=_are(count), split=one, other=other)
            )
    for split, count in found.within.items():
        if count:
            said.append(f"{_rows(count)} of {split} repeat{'s' * (count == 1)} an earlier one.")
    if found.contradictory:
        have = "1 text has" if found.contradictory == 1 else f"{found.contradictory:,} texts have"
        said.append(TEXTS["duplicates.contradictory"].format(texts=have))
    if not said:
        return status.hint("No text occurs twice, ignoring case and spaces.")
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
    return status.notes(said) + table(("text", "times", "where", ""), rows)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


# Imbalance


def imbalance(found: Imbalance | None) -> Markup:
    if found is None:
        return status.hint("There are no labelled training rows to compare.")
    if found.ratio == 1:
        words = "All classes have the same number of training rows."
    else:
        large = found.labels[found.counts.index(found.over)]
        small = found.labels[found.counts.index(found.under)]
        share = percent(found.over / sum(found.counts))
        words = TEXTS["imbalance"].format(large=large, ratio=found.ratio, small=small, share=share)
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
    return status.hint(words) + table(("class", "training rows", "over-sampled", "under-sampled"), rows)
