"""How a run is going: its loss and its scores, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.figures import chart
from components.figures.chart import Chart
from components.figures.markup import table

HIGH = 210  # CSS pixels of each panel
MOST_POINTS = 300  # that are drawn of a line; a browser shows no more

Event = Mapping[str, Any]
Line = tuple[str, Sequence[tuple[float, float]]]  # its name and points (step, value)

_SCORES = {"accuracy": "accuracy", "macro_f1": "macro F1"}
_NOT_SCORES = ("event", "at", "step", "loss", "perplexity")


def curves(events: Sequence[Event]) -> Chart | None:
    """A run's events (see `components.lab.work`) as panels below one another; None before the first step."""
    steps = max((one["steps"] for one in events if one["event"] == "train"), default=0)
    train = [(one["step"], one["loss"]) for one in _last(events, "train")]
    checked = _last(events, "validation")
    names = dict.fromkeys(name for one in checked for name in one if name not in _NOT_SCORES)
    panels = {
        "loss": ([("training loss", _thinned(train))] if train else [])
        + _of(checked, "loss", "validation loss"),
        "score": [line for name in names for line in _of(checked, name, _SCORES.get(name, name))],
        "perplexity": _of(checked, "perplexity", "perplexity of held-out text"),
    }
    shown = {title: lines for title, lines in panels.items() if lines}
    return _drawn(shown, steps) if shown else None


def _last(events: Sequence[Event], kind: str) -> list[Event]:
    """Events of a kind; steps that were taken again, after a crash, as they went the last time."""
    kept: list[Event] = []
    for one in events:
        if one["event"] == kind:
            while kept and kept[-1]["step"] >= one["step"]:
                kept.pop()
            kept.append(one)
    return kept


def _of(checked: Sequence[Event], name: str, title: str) -> list[Line]:
    points = [(one["step"], one[name]) for one in checked if name in one]
    return [(title, points)] if points else []


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """Means of neighbours, where there are more points than are drawn."""
    every = -(-len(points) // MOST_POINTS)
    groups = [points[start : start + every] for start in range(0, len(points), every)]
    return [(group[-1][0], sum(value for _, value in group) / len(group)) for group in groups]


def _drawn(panels: Mapping[str, Sequence[Line]], steps: int) -> Chart:
    lines = [(place, *line) for place, panel in enumerate(panels.values()) for line in panel]
    share = 1 / len(panels)  # of the height, a fifth of it free
    last = max(steps, *(points[-1][0] for _, _, points in lines), 1)
    layout: dict[str, Any] = {}
    for place, title in enumerate(panels):
        top = 1 - place * share
        reach = {"range": [0, 1.02]} if title == "score" else {"rangemode": "tozero"}
        layout[f"yaxis{place + 1}"] = chart.axis(title, domain=[top - 0.8 * share, top], **reach)
    return Chart(
        figure=chart.figure(
            [
                {
                    "type": "scatter",
                    "mode": "lines" if len(points) > 60 else "lines+markers",
                    "name": chart.plain(f"{name} {points[-1][1]:.3f}"),
                    "x": [step for step, _ in points],
                    "y": [value for _, value in points],
                    "yaxis": f"y{place + 1}",
                    "line": {
                        "color": chart.COLOURS[at % len(chart.COLOURS)],
                        "dash": chart.DASHES[at % len(chart.DASHES)],
                    },
                    "text": [chart.plain(name)] * len(points),
                    "hovertemplate": "%{text}: %{y:.3f} at step %{x:,}<extra></extra>",
                }
                for at, (place, name, points) in enumerate(lines)
            ],
            height=HIGH * len(panels) + 90,
            margin={"l": 8, "r": 12, "t": 60, "b": 8},
            xaxis=chart.axis("step", anchor=f"y{len(panels)}", range=[0, 1.02 * last]),
            **layout,
        ),
        name="training",
        label="By step: "
        + ", ".join(f"{name} {points[0][1]:.3f} to {points[-1][1]:.3f}" for _, name, points in lines),
        numbers=table(
            ("curve", "step", "value"),
            ((name, f"{step:,.0f}", f"{value:.4f}") for _, name, points in lines for step, value in points),
        ),
    )
