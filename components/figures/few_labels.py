"""How accuracy grows with the number of labelled examples."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components import texts
from components.figures import chart
from components.figures.chart import Chart
from components.figures.markup import percent, table

TEXTS = texts.beside(__file__)
MEASURED = Path(__file__).with_suffix(".json")  # by `python -m tests.benchmarks.few_labels --keep`
CHANCE = 0.5


def measured() -> Mapping[str, Any]:
    """`accuracies` by method: for each of `sizes` those of all draws, on so many `examples`."""
    found: Mapping[str, Any] = json.loads(MEASURED.read_text("utf-8"))
    return found


def few_labels() -> Chart:
    found = measured()
    sizes = found["sizes"]
    means = {
        name: [sum(draws) / len(draws) for draws in by_size] for name, by_size in found["accuracies"].items()
    }
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": chart.plain(TEXTS[f"methods.{name}"]),
            "x": sizes,
            "y": values,
            "line": {"color": chart.COLOURS[place], "dash": chart.DASHES[place]},
            "marker": {"size": 9, "symbol": chart.SYMBOLS[place]},
            "error_y": {
                "type": "data",
                "symmetric": False,
                "array": [
                    max(draws) - mean for draws, mean in zip(found["accuracies"][name], values, strict=True)
                ],
                "arrayminus": [
                    mean - min(draws) for draws, mean in zip(found["accuracies"][name], values, strict=True)
                ],
            },
            "hovertemplate": "%{x} examples: %{y:.1%}<extra></extra>",
        }
        for place, (name, values) in enumerate(means.items())
    ]
    return Chart(
        figure=chart.figure(
            traces,
            height=340,
            xaxis=chart.axis(
                "labelled examples", type="log", tickvals=sizes, ticktext=[f"{size:,}" for size in sizes]
            ),
            yaxis=chart.axis("accuracy", range=[CHANCE - 0.02, 1], tickformat=".0%"),
        ),
        name="few-labels",
        label=TEXTS["label"].format(examples=found["examples"]),
        numbers=table(
            ["Method", *(f"{size:,} examples" for size in sizes)],
            [[TEXTS[f"methods.{name}"], *map(percent, values)] for name, values in means.items()],
        ),
    )
