"""Charts as Plotly figures, each with its description and its numbers as a table.

Plotly is imported when the first chart is drawn. Figures have the light theme's colours, so that a saved
picture suits paper; on the page the style sheet replaces those of text and lines, and areas are chosen to be
seen on light and dark alike.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.figures.markup import Markup

INK, LINE, CLEAR = "#0f172a", "#dbe2ea", "rgba(0,0,0,0)"
# At least 3:1 on white and on the dark page. In this order the first ones stay apart for colour-blind eyes;
# of many, `SYMBOLS` tell apart those that do not.
COLOURS = ("#2f6fd6", "#e8710a", "#0b8a66", "#d05fae", "#7f8894", "#8a6d00", "#1a9dbd", "#7a5bd0")
SYMBOLS = ("circle", "square", "triangle-up", "diamond", "cross")
DASHES = ("solid", "dash", "dot", "dashdot")
# Of heat maps, over the page's own colour: the text of either theme can be read on them.
WRONG, NOTHING, RIGHT = "rgba(232,113,10,.6)", "rgba(127,136,148,.08)", "rgba(13,148,136,.6)"
LETTERS = 17  # of a name beside an axis
_FONT = "ui-sans-serif, system-ui, sans-serif"


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A figure and what stands for it where it cannot be seen.

    `name` becomes the saved file's name, `label` says in words what is drawn, `numbers` are a table, and
    `said` is HTML below the figure. `buttons` of Plotly's mode bar come before the one that saves.
    """

    figure: Any  # plotly.graph_objects.Figure
    name: str
    label: str
    numbers: Markup
    said: Markup = field(default_factory=Markup)
    buttons: Sequence[str] = ()

    def json(self) -> str:
        """Data, layout and configuration, as Plotly.js takes them."""
        from plotly.io.json import to_json_plotly

        config = {
            "displaylogo": False,
            "displayModeBar": True,
            "typesetMath": False,
            "modeBarButtons": [[*self.buttons, "toImage"]],
            "toImageButtonOptions": {"format": "png", "scale": 2, "filename": self.name},
        }
        return str(to_json_plotly({**self.figure.to_plotly_json(), "config": config}))

    def below(self) -> Markup:
        """What stands below the figure; the page's script names the figure by `data-label`."""
        return Markup(
            '{}<details class="chart-numbers" data-label="{}"><summary>Numbers as a table</summary>{}'
            "</details>"
        ).format(self.said, self.label, self.numbers)


def figure(traces: Iterable[Mapping[str, Any]], *, height: int, **layout: Any) -> Any:
    """A `plotly.graph_objects.Figure` as wide as its place. Raises `ValueError` for what Plotly has not."""
    from plotly import graph_objects as go

    base = {
        "template": {},
        "height": height,
        "font": {"family": _FONT, "size": 13, "color": INK},
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": CLEAR,
        "margin": {"l": 8, "r": 12, "t": 34, "b": 8},
        "hoverlabel": {"bgcolor": INK, "bordercolor": INK, "font": {"color": "#ffffff"}, "align": "left"},
        "modebar": {"bgcolor": CLEAR, "color": "#475569", "activecolor": "#0f766e"},
        "legend": {
            "orientation": "h",
            "traceorder": "normal",
            "x": 0,
            "y": 1,
            "yanchor": "bottom",
            "font": {"size": 12},
        },
        "dragmode": False,
    }
    return go.Figure(list(traces), {**base, **layout})


def axis(title: str = "", **more: Any) -> dict[str, Any]:
    """An axis that stays where it is, so that a finger can scroll the page over it."""
    return {
        "title": {"text": plain(title), "font": {"size": 13}, "standoff": 10},
        "ticklabelstandoff": 4,
        "automargin": True,
        "fixedrange": True,
        "zeroline": False,
        "gridcolor": LINE,
        **more,
    }


def named(names: Sequence[str], title: str = "", *, down: bool = True, **more: Any) -> dict[str, Any]:
    """An axis of names, at 0, 1, 2 and so on; equal names stay apart."""
    ends = (len(names) - 0.5, -0.5) if down else (-0.5, len(names) - 0.5)
    return axis(
        title,
        tickvals=list(range(len(names))),
        ticktext=[plain(shortened(name)) for name in names],
        range=ends,
        showgrid=False,
        **more,
    )


def plain(text: str) -> str:
    """Text that Plotly shows as it is: it reads some HTML."""
    return html.escape(text, quote=False)


def shortened(text: str, most: int = LETTERS) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
