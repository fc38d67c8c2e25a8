"""How a run is going: its loss and its scores, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.figures import svg
from components.figures.markup import Markup, join

WIDE, HIGH = 460, 210  # of one chart, in CSS pixels
_LEFT, _RIGHT, _TOP, _BELOW = 46, 12, 10, 34
MOST_POINTS = 300  # that are drawn of a line; a browser shows no more

Event = Mapping[str, Any]
Line = tuple[str, Sequence[tuple[float, float]]]  # its name and points (step, value)

_SCORES = {"accuracy": "accuracy", "macro_f1": "macro F1"}
_NOT_SCORES = ("event", "at", "step", "loss", "perplexity")


def curves(events: Sequence[Event]) -> Markup:
    """The charts of a run's events (see `components.lab.work`); nothing before the first step."""
    steps = max((one["steps"] for one in events if one["event"] == "train"), default=0)
    train = [(one["step"], one["loss"]) for one in _last(events, "train")]
    checked = _last(events, "validation")
    losses: list[Line] = [("training", _thinned(train))] if train else []
    losses += _of(checked, "loss", "validation")
    names = dict.fromkeys(name for one in checked for name in one if name not in _NOT_SCORES)
    scores = [line for name in names for line in _of(checked, name, _SCORES.get(name, name))]
    charts = []
    if losses:
        charts.append(_chart("Loss", losses, steps, ceiling=None))
    if scores:
        charts.append(_chart("Validation scores", scores, steps, ceiling=1.0))
    if perplexity := _of(checked, "perplexity", "held-out text"):
        charts.append(_chart("Perplexity", perplexity, steps, ceiling=None))
    return Markup('<div class="curves">{}</div>').format(join(charts)) if charts else Markup()


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


def _chart(title: str, lines: Sequence[Line], steps: int, ceiling: float | None) -> Markup:
    last = max(steps, *(points[-1][0] for _, points in lines), 1)
    heights = svg.ticks(ceiling or max(value for _, points in lines for _, value in points) or 1.0)
    top = heights[-1]

    def x(step: float) -> float:
        return _LEFT + step / last * (WIDE - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _TOP + (1 - value / top) * (HIGH - _TOP - _BELOW)

    def parts() -> Iterator[Markup]:
        for value in heights:
            yield svg.line([(_LEFT, y(value)), (WIDE - _RIGHT, y(value))], cls="curve-rule")
            yield svg.text(_LEFT - 6, y(value) + 4, f"{value:.3g}", cls="curve-end")
        for at in svg.ticks(last):
            if at <= last and at == round(at):
                yield svg.text(x(at), HIGH - 18, f"{at:,.0f}", cls="curve-step")
        yield svg.text((_LEFT + WIDE) / 2, HIGH - 3, "step", cls="curve-step")
        for number, (name, points) in enumerate(lines):
            said = f"{name}: {points[-1][1]:.3f} at step {points[-1][0]:.0f}"
            yield svg.line([(x(step), y(value)) for step, value in points], cls=f"curve-{number}", title=said)
            for step, value in points if len(points) <= 60 else points[-1:]:
                yield _dot(x(step), y(value), number, f"{name}: {value:.3f} at step {step:.0f}")

    legend = join(
        Markup('<span class="curve-name-{}">{} {:.3f}</span>').format(number, name, points[-1][1])
        for number, (name, points) in enumerate(lines)
    )
    return Markup('<div class="curve"><h4>{}</h4><p class="curve-legend">{}</p>{}</div>').format(
        title,
        legend,
        svg.figure(
            svg.drawing(WIDE, HIGH, parts(), cls="curve-chart"),
            name=f"lab-{title.lower().replace(' ', '-')}",
            label=f"{title} by step: "
            + ", ".join(f"{name} {points[0][1]:.3f} to {points[-1][1]:.3f}" for name, points in lines),
            numbers={name: [list(point) for point in points] for name, points in lines},
        ),
    )


def _dot(x: float, y: float, number: int, title: str) -> Markup:
    return Markup(
        '<circle cx="{:.1f}" cy="{:.1f}" r="2.5" class="curve-dot-{}"><title>{}</title></circle>'
    ).format(x, y, number, title)
