"""What a prediction loses without a part of the network."""

from __future__ import annotations

from collections.abc import Sequence

from components import texts
from components.figures import chart, status
from components.figures.chart import Chart
from components.figures.layers import visible
from components.figures.markup import Markup, bar_rows, join, percent, table
from components.insight.difference import Choice, Difference
from components.insight.parts import EVERY, Ablated, Cost, Costs, Part

TEXTS = texts.beside(__file__)

MOST_DRAWN = 64  # tokens of a chart
LEAST = 0.05  # of probability between the colours' ends, so that what hardly matters is hardly coloured
_PREDICTED = {
    "next token": "The next token",
    "first token": "The first token that is written",
    "gap": "The token in the gap, or in place of the last word",
    "label": "The label",
    "labels of tokens": "The labels of tokens",
    "answer": "The answer",
    "vector": "The vector of the text",
}
_NAMES = {"feed-forward": "feed-forward part", "residual": "residual path"}


def named(part: Part) -> str:
    """A part in words: "head 3 of layer 5", counted from 1 as on all pages."""
    if part.what == "positions":
        return "positions"
    side = f" of the {part.side}" if part.side else ""
    where = f"every layer{side}" if part.layer == EVERY else f"layer {part.layer + 1}{side}"
    if part.what == "layer":
        return where
    if part.what == "head":
        kind = "cross-attention " if part.cross else ""
        heads = f"every {kind}head" if part.head == EVERY else f"{kind}head {part.head + 1}"
        return f"{heads} of {where}"
    return f"the {_NAMES.get(part.what, part.what)} of {where}"


def compared(found: Ablated) -> Markup:
    """The prediction with everything and without the part, in words and in probabilities."""
    difference, without = found.difference, f"Without {named(found.part)}"
    columns = (
        (
            _labels(difference, found.tokens, without),
            *_written(difference, without),
        )
        if difference.predicts == "labels of tokens"
        else (
            _columns(difference, without),
            *_written(difference, without),
        )
    )
    return Markup(
        '<section class="layer-view"><h2>{}</h2>{}{}{}<h3>How far each token moves</h3></section>'
    ).format(
        without,
        Markup('<p class="table-answer"><strong>{}</strong></p>').format(sentence(difference)),
        join(columns),
        _missing(found),
    )


def sentence(difference: Difference) -> str:
    """What it cost, in one sentence."""
    had, kept = percent(difference.had), percent(difference.kept)
    before, after = (f"“{visible(said)}”" for said in (difference.before, difference.after))
    if difference.predicts == "vector":
        return TEXTS["vector"].format(cosine=difference.kept)
    if difference.predicts == "labels of tokens":
        changed = sum(choice.text != choice.becomes for choice in difference.choices)
        return TEXTS["labels"].format(changed=changed, count=len(difference.choices), kept=kept, had=had)
    if difference.same:
        return f"It stays {before}: {had} with everything, {kept} without."
    return f"{before} becomes {after}: what was {had} likely is {kept} likely."


def _columns(difference: Difference, without: str) -> Markup:
    if difference.predicts == "vector":
        return Markup()
    title = _PREDICTED[difference.predicts]
    before = sorted(difference.choices, key=lambda one: -one.before)
    after = sorted(difference.choices, key=lambda one: -one.after)
    return Markup('<div class="side-by-side">{}{}</div>').format(
        _column(f"{title}, whole model", [(one, one.before) for one in before]),
        _column(f"{title}, {without[0].lower()}{without[1:]}", [(one, one.after) for one in after]),
    )


def _column(title: str, rows: Sequence[tuple[Choice, float]]) -> Markup:
    return Markup('<section class="column"><h3>{}</h3>{}</section>').format(
        title,
        bar_rows(
            ((visible(one.text), value, percent(value)) for one, value in rows[:6]),
            caption=title,
            columns=("Prediction", "Probability"),
        ),
    )


def _labels(difference: Difference, tokens: Sequence[str], without: str) -> Markup:
    rows = (
        (
            token,
            one.text,
            percent(one.before),
            f"{one.becomes} (changed)" if one.becomes != one.text else one.becomes,
            percent(one.after),
        )
        for token, one in zip(tokens, difference.choices, strict=True)
    )
    heads = ("Token", "Whole model", "Probability", without, "Probability of the first label")
    return table(heads, rows, "Labels with and without the part")


def _written(difference: Difference, without: str) -> tuple[Markup, ...]:
    """How a language model goes on, in both runs."""
    if not difference.written_before:
        return ()
    return (
        Markup(
            '<h3>How the model goes on</h3><div class="side-by-side">'
            '<section class="column"><h3>Whole model</h3><p dir="auto">{}</p></section>'
            '<section class="column"><h3>{}</h3><p dir="auto">{}</p></section></div>'
        ).format(
            difference.written_before,
            without,
            difference.written_after or "(nothing)",
        ),
    )


def _missing(found: Ablated | Costs) -> Markup:
    return join(
        status.hint(f"{side.side.capitalize()}: {text}" if side.side else text)
        for side in found.offered
        for text in side.missing
    )


def distances(
    series: Sequence[tuple[str, Sequence[float]]], tokens: Sequence[str], *, name: str, label: str
) -> Chart:
    """How far each token's last vector moves in each of some runs: 1 less the cosine."""
    shown = [visible(token) for token in tokens]
    drawn = shown[:MOST_DRAWN]
    left = len(shown) - len(drawn)
    traces = [
        {
            "type": "bar",
            "name": chart.plain(title),
            "x": list(range(len(drawn))),
            "y": list(values[: len(drawn)]),
            "marker": {
                "color": chart.COLOURS[index],
                "pattern": {"shape": ("", "/", ".")[index % 3]},
            },
            "text": [chart.plain(token) for token in drawn],
            "textposition": "none",
            "hovertemplate": "%{text}: %{y:.4~g}<extra></extra>",
        }
        for index, (title, values) in enumerate(series)
    ]
    return Chart(
        figure=chart.figure(
            traces,
            height=300,
            barmode="group",
            margin={"l": 8, "r": 12, "t": 34 + 20 * (len(series) > 1) * len(series), "b": 8},
            showlegend=len(series) > 1,
            xaxis=chart.named(drawn, down=False),
            yaxis=chart.axis("1 − cosine", rangemode="tozero"),
        ),
        name=name,
        label=label,
        said=status.hint(f"{left} of {len(shown)} tokens are only in the table.") if left else Markup(),
        numbers=table(
            ("Token", *(title for title, _ in series)),
            ((token, *(f"{values[place]:.4f}" for _, values in series)) for place, token in enumerate(shown)),
            label,
        ),
    )


def moved(found: Ablated) -> Chart:
    """How far each token moves without the part."""
    difference = found.difference
    return distances(
        [(f"without {named(found.part)}", difference.distance)],
        found.tokens,
        name="switched-off",
        label="How far each token's last vector moves without the part",
    )


def costs(found: Costs) -> Chart:
    """What the prediction keeps without each part, layer by layer, the first one below."""
    heads = any(cost.part.what == "head" for cost in found.costs)
    columns = list(dict.fromkeys(_column_of(cost, heads) for cost in found.costs))
    layers = sorted({cost.part.layer for cost in found.costs})
    by_place = {(cost.part.layer, _column_of(cost, heads)): cost for cost in found.costs}
    rows = [[by_place.get((layer, column)) for column in columns] for layer in layers]
    values = [[None if cost is None else round(cost.kept, 4) for cost in row] for row in rows]
    small = len(columns) * len(layers) <= 160
    trace = {
        "type": "heatmap",
        "z": values,
        "zmin": min([found.had - LEAST, *(cost.kept for cost in found.costs)]),
        "zmax": found.had,
        "colorscale": [[0, chart.WRONG], [1, chart.NOTHING]],
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
        "texttemplate": "%{z:.2f}" if small else "",
        "textfont": {"color": chart.INK, "size": 11},
        "hovertext": [
            [
                "" if cost is None else chart.plain(f"{_capital(named(cost.part))}: {_said(found, cost)}")
                for cost in row
            ]
            for row in rows
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    what = "cosine" if found.predicts == "vector" else "probability"
    worst = min(found.costs, key=lambda cost: cost.kept, default=None)
    whole = f"{found.had:.2f}" if found.predicts == "vector" else percent(found.had)
    said = (
        f"With everything it is {whole}. Most is lost without {named(worst.part)}: {_said(found, worst)}."
        if worst
        else "Nothing was found that can be switched off."
    )
    return Chart(
        figure=chart.figure(
            [trace],
            height=120 + max(8 if len(layers) > 16 else 22, 14) * len(layers),
            xaxis=chart.named(columns, "head" if heads else "", down=False, tickangle=0 if heads else -30),
            yaxis=chart.named([str(layer + 1) for layer in layers], "layer", down=False),
        ),
        name="what-parts-cost",
        label=f"The {what} that the prediction keeps without each part by itself",
        said=Markup('<p class="hint layer-example">{}</p>').format(said) + _missing(found),
        numbers=table(
            ("Without", f"{_capital(what)} kept", "Prediction"),
            ((named(cost.part), f"{cost.kept:.4f}", visible(cost.says)) for cost in found.costs),
            "What each part costs",
        ),
    )


def _column_of(cost: Cost, heads: bool) -> str:
    cross = "cross " if cost.part.cross else ""
    return f"{cross}{cost.part.head + 1}" if heads else cost.part.what


def _said(found: Costs, cost: Cost) -> str:
    if found.predicts == "vector":
        return f"the cosine with the whole model's vector is {cost.kept:.3f}"
    return f"{percent(cost.kept)} is kept, and it says “{visible(cost.says)}”"


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
