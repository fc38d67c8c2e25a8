"""What each layer does to a text: as words, as similarity, as lengths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any
from unicodedata import east_asian_width

from components import templates, texts
from components.figures import chart, status, svg
from components.figures.chart import Chart
from components.figures.markup import Markup, join, percent, table

TEXTS = texts.beside(__file__)

Json = Mapping[str, Any]

# Positions that are drawn; the JSON has them all.
MOST_DRAWN = 64
CELL, ROW, LABEL = 86, 22, 62  # of the grids of tokens, in CSS pixels
LETTERS = 12  # that a cell has room for
MOST_NUMBERED = 13  # layers whose similarities are written into the heat map


def layers(_: Json, answer: Json) -> Markup:
    """The views of an answer that go token by token; `similarity` and `norms` are charts of their own."""
    return join([_lens(answer), _kept(answer)])


def teaser(answer: Json) -> Markup:
    """What the last two layers would say after the last token."""
    said = [row[-1][0] for row in answer["lens"]]
    return Markup("layer {}: {} → layer {}: <strong>{}</strong>").format(
        len(said) - 2, visible(said[-2]), len(said) - 1, visible(said[-1])
    )


def visible(token: str) -> str:
    """A token's text without the space that it begins with; what cannot be seen is drawn."""
    shown = token.replace("\n", "↵").replace("\t", "⇥")
    return shown.strip() or "␣" * max(1, len(token))


FILL = templates.beside(__file__, visible=visible, percent=percent)


def short(token: str, room: int = LETTERS) -> str:
    """As much of a token as a cell has room for; letters of East Asian scripts take twice as much."""
    shown = visible(token)
    widths = [2 if east_asian_width(letter) in "WF" else 1 for letter in shown]
    if sum(widths) <= room:
        return shown
    taken, kept = 1, 0
    for width in widths:
        taken += width
        if taken > room:
            break
        kept += 1
    return shown[:kept] + "…"


# As words


def _lens(answer: Json) -> Markup:
    title = Markup("<h2>What each layer would say</h2>")
    explained = status.hint(TEXTS["words.explained"])
    if not answer["lens"]:
        return _section(title, explained, Markup(), status.hint(answer["no_lens"]))
    drawn = answer["tokens"][:MOST_DRAWN]
    chances = [row[: len(drawn)] for row in answer["probabilities"]]
    words = [row[: len(drawn)] for row in answer["lens"]]
    top = [[place[0] for place in row] for row in chances]

    def cell(layer: int, place: int) -> tuple[str, float, str]:
        listed = ", ".join(
            f"“{word}” {percent(chance)}"
            for word, chance in zip(words[layer][place], chances[layer][place], strict=True)
        )
        said = f"Layer {layer}, {_where(answer['predicts'])} “{answer['tokens'][place]}”: {listed}"
        return words[layer][place][0], top[layer][place], said

    figure = svg.figure(
        _grid(drawn, answer["layers"] + 1, cell),
        name="layers-as-words",
        label=TEXTS["words.label"],
        numbers={
            "predicts": answer["predicts"],
            "tokens": drawn,
            "lens": words,
            "probabilities": chances,
            "values": top,
        },
    )
    if answer["written"]:
        reads = TEXTS["words.written"].format(written=answer["written"])
    else:
        reads = TEXTS["words.next" if answer["predicts"] == "next" else "words.same"]
    return _section(
        title,
        explained,
        _finding(answer),
        status.hint(f"{reads} Point at a cell to see other candidates.") + _rest(answer) + figure,
        _last_column(answer),
    )


def _finding(answer: Json) -> Markup:
    """Where the answer at the last position (or the gap) comes up, and what the layers before it would
    say."""
    place = _asked(answer)
    said = [row[place][0] for row in answer["lens"]]
    last = len(said) - 1
    since = next(layer for layer in range(last, -1, -1) if layer == 0 or said[layer - 1] != said[last])
    words = f"{_where(answer['predicts']).capitalize()} “{visible(answer['tokens'][place])}” "
    if since == 0:
        words += f"every layer would say “{visible(said[last])}”"
    else:
        before = said[since - 1]
        first = next(layer for layer in range(since - 1, -1, -1) if layer == 0 or said[layer - 1] != before)
        layers = (
            f"layer {first} would say" if first == since - 1 else f"layers {first} to {since - 1} would say"
        )
        words += f"{layers} “{visible(before)}”; "
        words += f"layer {since}" if since == last else f"from layer {since} on it is"
        words += f" “{visible(said[last])}”" if since != last else f", the last, says “{visible(said[last])}”"
    chance = percent(answer["probabilities"][last][place][0])
    return Markup('<p class="hint layer-example">{}, with {} in the end.</p>').format(words, chance)


def _asked(answer: Json) -> int:
    """The position that the answer is read at: the last, or the gap."""
    gaps = [place for place, token in enumerate(answer["tokens"]) if "mask" in token.lower()]
    return gaps[0] if gaps and answer["predicts"] == "same" else len(answer["tokens"]) - 1


def _where(predicts: str) -> str:
    return "after" if predicts == "next" else "in place of"


def _last_column(answer: Json) -> Markup:
    """The lens as a table, at one position: the last, or the gap."""
    place = _asked(answer)
    layers = [
        [*zip(words[place], chances[place], strict=True)]
        for words, chances in zip(answer["lens"], answer["probabilities"], strict=True)
    ]
    return FILL(
        "last_column",
        where=_where(answer["predicts"]).capitalize(),
        token=visible(answer["tokens"][place]),
        layers=layers,
    )


def _grid(tokens: Sequence[str], rows: int, cell: Any, first: int = 0) -> Markup:
    """Rows are layers, the last on top, columns positions. `cell(layer, place)` gives text, share, title."""
    width, height = 2 * LABEL + len(tokens) * CELL, (rows + 2) * ROW

    def parts() -> Iterator[Markup]:
        for place, token in enumerate(tokens):
            x = LABEL + (place + 0.5) * CELL
            for y in (15, height - 7):
                yield svg.text(x, y, short(token), cls="layer-token", title=f"{place + 1}: {token}")
        for layer in range(rows):
            y = (rows - layer) * ROW
            for x, cls in ((LABEL - 8, "layer-end"), (width - LABEL + 8, "layer-name")):
                yield svg.text(x, y + 15, _name(layer + first), cls=cls)
            for place in range(len(tokens)):
                words, share, title = cell(layer, place)
                x = LABEL + place * CELL
                yield svg.rect(x, y, CELL - 2, ROW - 2, cls="layer-cell", share=share, title=title)
                yield svg.text(x + CELL / 2 - 1, y + 14.5, short(words), cls="layer-word", title=title)

    return svg.drawing(width, height, parts(), cls="layer-grid")


def _name(layer: int) -> str:
    return "input" if layer == 0 else f"layer {layer}"


# As similarity


def _kept(answer: Json) -> Markup:
    drawn = answer["tokens"][:MOST_DRAWN]
    kept = [row[: len(drawn)] for row in answer["kept"]]

    def cell(layer: int, place: int) -> tuple[str, float, str]:
        value = kept[layer][place]
        title = f"“{drawn[place]}” after layer {layer + 1} and before it: {value:.2f}"
        return f"{value:.2f}", min(1.0, max(0.0, 1 - value)), title

    return _section(
        Markup("<h2>Which tokens a layer turns</h2>"),
        status.hint(TEXTS["kept"]),
        _rest(answer),
        svg.figure(
            _grid(drawn, len(kept), cell, first=1),
            name="layers-kept",
            label="Cosine similarity of each token with itself one layer before",
            numbers={"tokens": drawn, "values": kept},
        ),
    )


def similarity(request: Json, answer: Json) -> Chart:
    """Cosine similarity of each pair of layers as a heat map, the last layer on top."""
    matrix: Sequence[Sequence[float]] = answer["similarity"]
    names = [_name(layer) for layer in range(len(matrix))]
    numbered = len(matrix) <= MOST_NUMBERED
    every = 1 if numbered else 5
    ticks = ["input" if layer == 0 else "" if layer % every else str(layer) for layer in range(len(matrix))]
    drawn = {
        "type": "heatmap",
        "z": matrix,
        "zmin": -1,
        "zmax": 1,
        "colorscale": [[0, chart.WRONG], [0.5, chart.NOTHING], [1, chart.RIGHT]],
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
        "texttemplate": "%{z:.2f}" if numbered else "",
        "textfont": {"color": chart.INK, "size": 11},
        "hovertext": [[f"{one} and {other}" for other in names] for one in names],
        "hovertemplate": "%{hovertext}: %{z:.2f}<extra></extra>",
    }
    return Chart(
        figure=chart.figure(
            [drawn],
            height=len(matrix) * (34 if numbered else 14) + 120,
            xaxis=chart.named(ticks, "layer", down=False),
            yaxis=chart.named(ticks, "layer", down=False),
        ),
        name="layers-similarity",
        label=TEXTS["similarity.label"],
        said=_example(
            request.get("text", ""),
            "The bank of the river was steep.",
            TEXTS["similarity.example"],
        ),
        numbers=table(
            ("", *names),
            ((name, *(f"{value:.2f}" for value in row)) for name, row in zip(names, matrix, strict=True)),
            "Similarity of layers",
        ),
    )


# As lengths


def norms(request: Json, answer: Json) -> Chart:
    """The length of each token's vector by layer, and the median of all.

    On a logarithmic scale where lengths differ by more than a factor of 20.
    """
    by_layer: Sequence[Sequence[float]] = answer["norms"]
    median: Sequence[float] = answer["median_norms"]
    tokens = [visible(token) for token in answer["tokens"]]
    means = [fmean(row[place] for row in by_layer) for place in range(len(tokens))]
    longest = max(range(len(tokens)), key=means.__getitem__)
    shown = sorted({*range(min(len(tokens), MOST_DRAWN)), longest})
    lines = {place: [row[place] for row in by_layer] for place in shown}
    positive = [value for line in (*lines.values(), median) for value in line if value > 0]
    logarithmic = bool(positive) and max(positive) > 20 * min(positive)
    grey, orange, blue = chart.COLOURS[4], chart.COLOURS[1], chart.COLOURS[0]
    others = [place for place in shown if place != longest]
    traces = [
        _line("one token", [(tokens[place], lines[place]) for place in others], color=grey, width=1),
        _line(
            f"longest: “{chart.shortened(tokens[longest])}”",
            [(tokens[longest], lines[longest])],
            color=orange,
            width=2,
            dash="dash",
        ),
        _line("median", [("median", median)], color=blue, width=3),
    ]
    left = len(tokens) - len(shown)
    return Chart(
        figure=chart.figure(
            traces if others else traces[1:],
            height=360,
            margin={"l": 8, "r": 12, "t": 60, "b": 8},
            xaxis=chart.axis("layer", range=[-0.3, len(by_layer) - 0.7], tickformat="d"),
            yaxis=chart.axis(
                "length",
                **{"type": "log", "dtick": 1} if logarithmic else {"rangemode": "tozero"},
                tickformat=",~g",
            ),
        ),
        name="layers-lengths",
        label=f"Length of vectors by layer; the median goes from {median[0]:.3g} to {median[-1]:.3g}",
        said=_example(
            request.get("text", ""),
            "The capital of France is",
            TEXTS["lengths.example"],
        )
        + (
            status.hint(f"{left} of {len(tokens)} tokens are not drawn; the JSON has them all.")
            if left
            else ""
        ),
        numbers=table(
            ("token", *(_name(layer) for layer in range(len(by_layer)))),
            (
                (name, *(f"{value:,.4g}" for value in line))
                for name, line in (("median", median), *((tokens[place], lines[place]) for place in shown))
            ),
            "Length by token and layer",
        ),
    )


def _line(name: str, lines: Sequence[tuple[str, Sequence[float]]], **style: Any) -> Mapping[str, Any]:
    """Lines of one style as one trace, with a gap between two."""
    points = [
        (layer, value, words) for words, line in lines for layer, value in [*enumerate(line), (None, None)]
    ]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": chart.plain(name),
        "x": [layer for layer, _, _ in points],
        "y": [value for _, value, _ in points],
        "line": style,
        "text": [chart.plain(words) for _, _, words in points],
        "hovertemplate": "%{text}: %{y:,.4~g} at layer %{x}<extra></extra>",
    }


# Around them


def _section(title: Markup, explained: Markup, said: Markup, *figures: Markup) -> Markup:
    return Markup('<section class="layer-view">{}{}{}{}</section>').format(
        title, explained, said, join(figures)
    )


def _example(text: str, example: str, says: str) -> Markup:
    """What a view says of an example; nothing beside another text."""
    return Markup('<p class="hint layer-example">{}</p>').format(says) if text == example else Markup()


def _rest(answer: Json) -> Markup:
    count = len(answer["tokens"])
    if count <= MOST_DRAWN:
        return Markup()
    return status.hint(TEXTS["rest"].format(drawn=MOST_DRAWN, count=count))
