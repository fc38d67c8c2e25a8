"""Positions as a network knows them, and a text with its words in another order."""

from __future__ import annotations

from components import texts
from components.figures import chart, status
from components.figures.ablation import distances
from components.figures.chart import Chart
from components.figures.layers import visible
from components.figures.markup import Markup, join, percent, table
from components.figures.tokens import chips
from components.insight.difference import Difference
from components.insight.placement import Map, Positions

TEXTS = texts.beside(__file__)

MOST_LINES = 6  # of a chart; its table has all


def heading(found: Map) -> Markup:
    """What is drawn of a module, in words."""
    side = f"{found.side.capitalize()}: " if found.side else ""
    count = f" There are {found.count:,} positions." if found.count else ""
    return Markup('<section class="layer-view"><h2>{}<code>{}</code></h2>{}</section>').format(
        side, found.path, status.hint(TEXTS[f"kinds.{found.kind}"] + count)
    )


def similarity(found: Map) -> Chart | None:
    """The cosine between any two positions; None where a network has no vectors of positions."""
    if not found.similarity:
        return None
    names = [str(place) for place in found.places]
    trace = {
        "type": "heatmap",
        "x": list(found.places),
        "y": list(found.places),
        "z": found.similarity,
        "zmin": -1,
        "zmax": 1,
        "colorscale": [[0, chart.WRONG], [0.5, chart.NOTHING], [1, chart.RIGHT]],
        "colorbar": {"title": {"text": "cosine"}, "thickness": 12, "outlinewidth": 0},
        "hovertemplate": "positions %{y} and %{x}: %{z:.3f}<extra></extra>",
    }
    some = found.places[:: max(1, len(found.places) // 8)]
    return Chart(
        figure=chart.figure(
            [trace],
            height=430,
            xaxis=chart.axis("position"),
            yaxis=chart.axis("position", autorange="reversed"),
        ),
        name="positions-similarity",
        label=f"Cosine similarity of positions {names[0]} to {names[-1]}",
        numbers=table(
            ("position", *map(str, some)),
            (
                (name, *(f"{row[found.places.index(place)]:.3f}" for place in some))
                for name, row in zip(names, found.similarity, strict=True)
            ),
            "Similarity of positions",
        ),
    )


def by_distance(found: Map) -> Chart:
    """The same against distance; of a relative bias the only view."""
    relative = found.kind == "relative"
    drawn = found.by_distance[:MOST_LINES]
    distances = [found.nearest + index for index in range(len(found.by_distance[0][1]))]
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": chart.plain(name),
            "x": distances,
            "y": list(values),
            "line": {
                "color": chart.COLOURS[index % len(chart.COLOURS)],
                "dash": chart.DASHES[index % len(chart.DASHES)],
                "width": 3 if index == 0 and not relative else 1.5,
            },
            "hovertemplate": "%{x} tokens: %{y:.3~f}<extra>%{fullData.name}</extra>",
        }
        for index, (name, values) in enumerate(drawn)
    ]
    left = len(found.by_distance) - len(drawn)
    title = "bias added to the score" if relative else "cosine"
    where = "tokens from the query to the key" if relative else "tokens apart"
    first = found.by_distance[0][1]
    said = "" if relative else f"; from 1 at the same position to {first[-1]:.2f} at {distances[-1]}"
    return Chart(
        figure=chart.figure(
            traces,
            height=320,
            margin={"l": 8, "r": 12, "t": 40 + 12 * len(drawn), "b": 8},
            showlegend=len(drawn) > 1,
            xaxis=chart.axis(where),
            yaxis=chart.axis(title),
        ),
        name="positions-by-distance",
        label=f"{title.capitalize()} by distance{said}",
        said=status.hint(f"{left} more heads are in the table.") if left else Markup(),
        numbers=table(
            ("distance", *(name for name, _ in found.by_distance)),
            (
                (str(distance), *(f"{values[index]:.3f}" for _, values in found.by_distance))
                for index, distance in enumerate(distances)
            ),
            "By distance",
        ),
    )


def order(found: Positions) -> Markup:
    """The text and its words shuffled, and what the model says of either, with and without positions."""
    runs: list[tuple[str, str, Difference]] = [("Words shuffled", "shuffled", found.order)]
    if found.without is not None:
        runs.append(("The same text, positions switched off", "without positions", found.without))
    if found.order_without is not None:
        runs.append(
            ("Words shuffled, positions switched off", "without positions, shuffled", found.order_without)
        )
    vectors = found.order.predicts == "vector"  # which are compared: there is no answer before and after
    said = {"The text's vector": False} if vectors else {"Before": True, "After": False}
    rows = (
        (
            title,
            *(_said(difference, first=first) for first in said.values()),
            f"{sum(difference.distance) / max(1, len(difference.distance)):.4f}",
        )
        for title, _, difference in runs
    )
    heads = ("What changes", *said, "Mean change of a token's vector")
    return Markup(
        '<section class="layer-view"><h2>The order of words</h2>{hint}<p>Read: {tokens}</p>'
        "<p>Shuffled: {shuffled}</p>{table}{verdict}{written}{missing}"
        "<h3>How far each token moves</h3></section>"
    ).format(
        hint=status.hint(TEXTS["shuffled"]),
        tokens=chips(found.tokens, 100),
        shuffled=chips(found.shuffled, 100),
        table=table(heads, rows, "What the order changes"),
        verdict=Markup('<p class="hint layer-example">{}</p>').format(verdict(found)),
        written=_written(runs),
        missing=status.hint(found.missing) if found.missing else Markup(),
    )


def verdict(found: Positions) -> str:
    """In a sentence, what the order is to the model without positions."""
    if found.order_without is None:
        return TEXTS["order.unknown"]
    largest = max(found.order_without.distance, default=0.0)
    if largest < 1e-4:
        what = "every token" if found.compared == found.tokens else "every written token"
        return TEXTS["order.nothing"].format(what=what)
    if found.causal:
        return TEXTS["order.causal"].format(largest=largest)
    return TEXTS["order.other"].format(largest=largest)


def _said(difference: Difference, *, first: bool) -> str:
    if difference.predicts == "vector":
        return "" if first else f"cosine {difference.kept:.3f}"
    if first:
        return f"“{visible(difference.before)}”, {percent(difference.had)}"
    return f"“{visible(difference.after)}”; the first one has {percent(difference.kept)}"


def _written(runs: list[tuple[str, str, Difference]]) -> Markup:
    first = runs[0][2]
    if not first.written_before:
        return Markup()
    columns = [("As it was", first.written_before)]
    columns += [(title, one.written_after) for title, _, one in runs if one.written_before]
    return Markup('<h3>How the model goes on</h3><div class="side-by-side">{}</div>').format(
        join(
            Markup('<section class="column"><h3>{}</h3><p dir="auto">{}</p></section>').format(
                title, text or "(nothing)"
            )
            for title, text in columns
        )
    )


def changed(found: Positions) -> Chart:
    """How far each token moves in each run."""
    series = [("words shuffled", found.order.distance)]
    if found.without is not None:
        series.append(("same text, no positions", found.without.distance))
    if found.order_without is not None:
        series.append(("shuffled, no positions", found.order_without.distance))
    return distances(
        series,
        found.compared,
        name="positions-changed",
        label=TEXTS["moved"],
    )
