"""A reliability diagram: are answers with a score of 80 % right in 80 of 100 cases?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.figures import chart
from components.figures.chart import Chart
from components.figures.markup import Markup, table

Bin = Mapping[str, Any]


def diagram(measured: Mapping[str, Sequence[Bin]], said: Markup) -> Chart:
    """The bins of an evaluation, by what was measured, next to each other; `said` stands below.

    A bin has `low`, `high`, `count`, `score` (the mean) and `right` (a share).
    """
    bars = [
        {
            "type": "bar",
            "name": chart.plain(name),
            "x": [one["low"] for one in bins],
            "y": [one["right"] for one in bins],
            "width": [0.92 * (one["high"] - one["low"]) / len(measured) for one in bins],
            "offset": [(one["high"] - one["low"]) * (0.04 + 0.92 * at / len(measured)) for one in bins],
            "marker": {"color": chart.COLOURS[at]},
            "text": [
                f"{one['count']:,} with {_whole(one['low'])} to {_whole(one['high'])}: "
                f"{_whole(one['right'])} right"
                for one in bins
            ],
            "textposition": "none",
            "hovertemplate": "%{text}<extra>%{fullData.name}</extra>",
        }
        for at, (name, bins) in enumerate(measured.items())
    ]
    even = {
        "type": "scatter",
        "mode": "lines",
        "name": "score = share",
        "x": [0, 1],
        "y": [0, 1],
        "line": {"color": chart.COLOURS[4], "dash": "dash"},
        "hoverinfo": "skip",
    }
    ends = {"range": [0, 1.01], "tickformat": ".0%", "dtick": 0.25}
    return Chart(
        figure=chart.figure(
            [*bars, even],
            height=340,
            margin={"l": 8, "r": 12, "t": 60, "b": 8},
            xaxis=chart.axis("score", **ends),
            yaxis=chart.axis("share that is right", **ends),
        ),
        name="reliability",
        label="Share of right answers by score",
        said=said,
        numbers=table(
            ("", "score", "answers", "mean score", "right"),
            (
                (
                    name,
                    f"{_whole(one['low'])} to {_whole(one['high'])}",
                    f"{one['count']:,}",
                    _whole(one["score"]),
                    _whole(one["right"]),
                )
                for name, bins in measured.items()
                for one in bins
            ),
            "Share of right answers by score",
        ),
    )


def _whole(share: float) -> str:
    return f"{100 * share:.0f} %"
