"""A data set's texts as points in a plane, and those that are selected of them as a table."""

from __future__ import annotations

import base64
import csv
import io
import textwrap
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from components.figures import chart, status
from components.figures.chart import Chart
from components.figures.markup import Markup, table
from components.lab.data import SPLITS, Data
from components.lab.methods.features import Points

MOST_NAMED = 12  # classes whose names stand among their points
MOST_LISTED = 200  # selected texts
LONGEST = 160  # characters of a text beside its point
LONGEST_LISTED = 400
BUTTONS = ("lasso2d", "select2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d")


def scatter(data: Data, found: Points, said: str, chosen: Collection[int] | None = None) -> Chart:
    """Points by class; `said` tells how they came about, the places in `chosen` stand out. A point's
    `customdata` is its place in `found`."""
    texts = data.texts(found.rows)
    codes = sorted(set(found.classes.tolist()))
    traces, names, counts = [], [], []
    for number, code in enumerate(codes):
        places = np.flatnonzero(found.classes == code)
        points = found.points[places].astype(float).round(4)
        name = _label(data, code)
        kept = {} if chosen is None else {"selectedpoints": np.flatnonzero([at in chosen for at in places])}
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": chart.plain(chart.shortened(name, 30)),
                "x": points[:, 0],
                "y": points[:, 1],
                "customdata": places[:, None].tolist(),
                "text": [_hover(f"{name}, {_split(found.splits[at])}", texts[at]) for at in places],
                "hovertemplate": "%{text}<extra></extra>",
                "marker": {
                    "size": 7,
                    "color": chart.COLOURS[number % len(chart.COLOURS)],
                    "symbol": chart.SYMBOLS[number % len(chart.SYMBOLS)],
                },
                "unselected": {"marker": {"opacity": 0.15}},
                **kept,
            }
        )
        names.append(
            {
                "x": float(np.median(points[:, 0])),
                "y": float(np.median(points[:, 1])),
                "text": f"<b>{chart.plain(chart.shortened(name))}</b>",
                "showarrow": False,
                "bgcolor": "rgba(255,255,255,.75)",
            }
        )
        counts.append((name, *(f"{(found.splits[places] == at).sum():,}" for at in range(len(SPLITS)))))
    bare: dict[str, Any] = {"showticklabels": False, "showgrid": False, "fixedrange": False}
    return Chart(
        figure=chart.figure(
            traces,
            height=480,
            margin={"l": 8, "r": 8, "t": 34, "b": 8},
            legend={"orientation": "h", "x": 0, "y": 0, "yanchor": "top", "font": {"size": 12}},
            dragmode="lasso",
            xaxis=chart.axis(**bare),
            yaxis=chart.axis(scaleanchor="x", **bare),  # distances are what there is to see
            annotations=names if len(names) <= MOST_NAMED else [],
        ),
        name="lab-features",
        label=f"{len(found.rows):,} texts in {len(codes)} classes as points",
        said=status.hint(said),
        numbers=table(("class", *SPLITS), counts),
        buttons=BUTTONS,
    )


def listed(data: Data, found: Points, places: Sequence[int]) -> Markup:
    """Selected texts, by their places in `found`, and a link that saves all of them."""
    rows = found.rows[list(places)]
    texts = data.texts(rows)
    about = [(_label(data, found.classes[at]), _split(found.splits[at])) for at in places]
    file = io.StringIO()
    written = csv.writer(file)
    written.writerow(("row", "text", "class", "split"))
    written.writerows((row, text, *facts) for row, text, facts in zip(rows, texts, about, strict=True))
    left = f" The first {MOST_LISTED} are listed." if len(places) > MOST_LISTED else ""
    return Markup(
        '<p class="hint">{} selected.{} <a download="lab-features-selection.csv" '
        'href="data:text/csv;base64,{}">Download CSV</a></p>{}'
    ).format(
        "1 text" if len(places) == 1 else f"{len(places):,} texts",
        left,
        base64.b64encode(file.getvalue().encode()).decode(),
        table(
            ("Text", "Class", "Split"),
            (
                (chart.shortened(text, LONGEST_LISTED), *facts)
                for text, facts in zip(texts[:MOST_LISTED], about, strict=False)
            ),
            "Selected texts",
        ),
    )


def _label(data: Data, code: int) -> str:
    return data.about.labels[code] if 0 <= code < len(data.about.labels) else "no label"


def _split(code: int) -> str:
    return SPLITS[code] if 0 <= code < len(SPLITS) else "no split"


def _hover(where: str, text: str) -> str:
    lines = textwrap.wrap(chart.shortened(text, LONGEST), 48)
    return "<br>".join((f"<b>{chart.plain(where)}</b>", *map(chart.plain, lines)))
