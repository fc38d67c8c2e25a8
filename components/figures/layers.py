"""What each layer does to a text: as words, as likeness, as lengths."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any
from unicodedata import east_asian_width

from components.figures import status, svg
from components.figures.markup import Markup, join, percent

Json = Mapping[str, Any]

# Positions that are drawn; the JSON has them all.
MOST_DRAWN = 64
CELL, ROW, LABEL = 86, 22, 62  # of the grids of tokens, in CSS pixels
LETTERS = 12  # that a cell has room for
SQUARE, NUMBERED = 16, 34  # sides of a cell of the heat map: bare, or with its number
MOST_NUMBERED = 13  # layers
WIDE, HIGH = 600, 260  # of the lines


def layers(request: Json, answer: Json) -> Markup:
    """The three views of an answer, one below the other."""
    text = request.get("text", "")
    return join([_lens(answer, text), _similarity(answer, text), _norms(answer, text)])


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


def _lens(answer: Json, text: str) -> Markup:
    title = Markup("<h2>What each layer would say</h2>")
    explained = Markup(
        '<p class="hint">The model turns only its last layer into words. Here every layer is turned into '
        "words in the same way, so one can watch the answer take shape from the bottom to the top: the "
        "stronger the colour, the surer the model is.</p>"
    )
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
        label="The likeliest token by layer and position; the table below has the last position",
        numbers={
            "predicts": answer["predicts"],
            "tokens": drawn,
            "lens": words,
            "probabilities": chances,
            "values": top,
        },
    )
    reads = (
        "Columns are the tokens the model reads; a cell is the token it would put next."
        if answer["predicts"] == "next"
        else "Columns are the tokens the model reads; a cell is the token it would put in that very place."
    )
    if answer["written"]:
        reads = (
            f"Written here: “{answer['written']}” Columns are what it has written so far, after a token "
            "that it always begins with; a cell is the token it would put next."
        )
    return _section(
        title,
        explained,
        _finding(answer),
        status.hint(f"{reads} Point at a cell for more of its words.") + _rest(answer) + figure,
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
    return Markup('<p class="hint layer-example">{}, in the end with {}.</p>').format(words, chance)


def _asked(answer: Json) -> int:
    """The position that the answer is read at: the last, or the gap."""
    gaps = [place for place, token in enumerate(answer["tokens"]) if "mask" in token.lower()]
    return gaps[0] if gaps and answer["predicts"] == "same" else len(answer["tokens"]) - 1


def _where(predicts: str) -> str:
    return "after" if predicts == "next" else "in place of"


def _last_column(answer: Json) -> Markup:
    """The lens as a table, at one position: the last, or the gap."""
    place = _asked(answer)
    rows = join(
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            layer,
            join(
                Markup('<td dir="auto">{} <span class="value">{}</span></td>').format(
                    visible(word), percent(chance)
                )
                for word, chance in zip(words[place], chances[place], strict=True)
            ),
        )
        for layer, words, chances in reversed(
            list(zip(range(len(answer["lens"])), answer["lens"], answer["probabilities"], strict=True))
        )
    )
    count = len(answer["lens"][0][place])
    heads = join(Markup('<th scope="col">{}</th>').format(f"No. {rank}") for rank in range(1, count + 1))
    return Markup(
        '<details class="layer-table"><summary>{what} “{token}” in each layer, as a table</summary>'
        '<div class="grid-box" tabindex="0" role="group" aria-label="Words by layer"><table class="grid">'
        '<thead><tr><th scope="col">Layer</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
        "</details>"
    ).format(
        what=_where(answer["predicts"]).capitalize(),
        token=visible(answer["tokens"][place]),
        heads=heads,
        rows=rows,
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


# As likeness


def _similarity(answer: Json, text: str) -> Markup:
    matrix: Sequence[Sequence[float]] = answer["similarity"]
    side = NUMBERED if len(matrix) <= MOST_NUMBERED else SQUARE
    drawn = answer["tokens"][:MOST_DRAWN]
    kept = [row[: len(drawn)] for row in answer["kept"]]

    def cell(layer: int, place: int) -> tuple[str, float, str]:
        value = kept[layer][place]
        title = f"“{drawn[place]}” after layer {layer + 1} and before it: {value:.2f}"
        return f"{value:.2f}", min(1.0, max(0.0, 1 - value)), title

    heat = svg.figure(
        _heat(matrix, side),
        name="layers-similarity",
        label="Cosine similarity between each pair of layers, the mean over tokens",
        numbers={"layers": list(range(len(matrix))), "values": matrix},
    )
    by_token = svg.figure(
        _grid(drawn, len(kept), cell, first=1),
        name="layers-kept",
        label="Cosine similarity of each token with itself one layer before",
        numbers={"tokens": drawn, "values": kept},
    )
    return _section(
        Markup("<h2>How alike layers are</h2>"),
        Markup(
            '<p class="hint">Between layers each token is a list of numbers, an arrow in a space of many '
            "directions. 1 means that two layers have the arrows point the same way, 0 that they have "
            "nothing in common, and orange that they point apart.</p>"
        ),
        _example(
            text,
            "The bank of the river was steep.",
            "Layers 1 and 2 are at 0.90, so little changes there; the input and the last layer are at "
            "0.36, so "
            "little of the plain words is left.",
        ),
        heat,
        Markup(
            "<h3>Which tokens a layer turns</h3><p class='hint'>Each number compares a token with itself one "
            "layer before. The stronger the colour, the more that layer turned it.</p>"
        )
        + _rest(answer)
        + by_token,
    )


def _heat(matrix: Sequence[Sequence[float]], side: int) -> Markup:
    count = len(matrix)
    left, bottom = LABEL, 26
    every = 1 if side == NUMBERED else 5

    def parts() -> Iterator[Markup]:
        for row in range(count):
            y = (count - 1 - row) * side
            if row % every == 0 or row == count - 1:
                yield svg.text(left - 8, y + side / 2 + 4, _name(row), cls="layer-end")
                yield svg.text(left + (row + 0.5) * side, count * side + 16, str(row), cls="layer-token")
            for column in range(count):
                value = matrix[row][column]
                yield svg.rect(
                    left + column * side,
                    y,
                    side - 1,
                    side - 1,
                    cls="layer-cell" if value >= 0 else "layer-against",
                    share=abs(value),
                    title=f"{_name(row)} and {_name(column)}: {value:.2f}",
                )
                if side == NUMBERED:
                    x = left + (column + 0.5) * side
                    yield svg.text(x, y + side / 2 + 4, f"{value:.2f}", cls="layer-small")

    width = left + count * side + 12
    return svg.drawing(max(width, 120), count * side + bottom, parts(), cls="layer-heat")


# As lengths


def _norms(answer: Json, text: str) -> Markup:
    norms: Sequence[Sequence[float]] = answer["norms"]
    tokens = answer["tokens"]
    means = [fmean(row[place] for row in norms) for place in range(len(tokens))]
    longest = max(range(len(tokens)), key=means.__getitem__)
    drawn = range(min(len(tokens), MOST_DRAWN))
    figure = svg.figure(
        _lines(norms, answer["median_norms"], [*drawn], tokens, longest),
        name="layers-lengths",
        label=(
            "Length of each token's vector by layer; the median goes from "
            f"{answer['median_norms'][0]:.3g} to {answer['median_norms'][-1]:.3g}"
        ),
        numbers={
            "tokens": tokens,
            "layers": list(range(len(norms))),
            "median": answer["median_norms"],
            "values": norms,
        },
    )
    return _section(
        Markup("<h2>How long the vectors grow</h2>"),
        Markup(
            '<p class="hint">The length of a token\'s list of numbers says how much the layers have written '
            "into it. Each thin line is a token, the thick one is the median; a token far above the others "
            "is often one on which the model rests its attention when there is nothing to look for.</p>"
        ),
        _example(
            text,
            "The capital of France is",
            "The median grows from 2.5 at the input to 619 after the last layer, while the first token, "
            "“The”, is "
            "already at 22,680 after layer 15.",
        ),
        Markup(
            '<p class="layer-legend"><span class="median">median</span><span class="single">one token</span>'
            "<span>longest: “{}”</span></p>"
        ).format(visible(tokens[longest]))
        + figure,
    )


def _lines(
    norms: Sequence[Sequence[float]],
    median: Sequence[float],
    places: Sequence[int],
    tokens: Sequence[str],
    longest: int,
) -> Markup:
    """On a logarithmic scale where lengths differ by more than a factor of 20; nothing has no logarithm."""
    shown = sorted({*places, longest})
    values = [row[place] for row in norms for place in shown] + [*median]
    low, high = min((value for value in values if value > 0), default=1.0), max(values, default=1.0) or 1.0
    logarithmic = high > 20 * low
    left, below = 52, 44
    floor, ceiling = (
        (math.log10(low), max(math.log10(high), math.log10(low) + 0.1)) if logarithmic else (0.0, high)
    )

    def x(layer: int) -> float:
        return left + layer / max(1, len(norms) - 1) * (WIDE - left - 20)

    def y(value: float) -> float:
        at = math.log10(max(value, low)) if logarithmic else value
        return 12 + (1 - (at - floor) / (ceiling - floor)) * (HIGH - below - 12)

    def parts() -> Iterator[Markup]:
        for tick in _ticks(low, high, logarithmic):
            yield svg.line([(left, y(tick)), (WIDE - 20, y(tick))], cls="layer-rule")
            yield svg.text(
                left - 6, y(tick) + 4, f"{tick:,.0f}" if tick >= 10 else f"{tick:.3g}", cls="layer-end"
            )
        step = max(1, math.ceil(len(norms) / 16))
        for layer in range(0, len(norms), step):
            yield svg.text(x(layer), HIGH - 24, str(layer), cls="layer-token")
        yield svg.text((left + WIDE) / 2, HIGH - 6, "layer", cls="layer-token")
        for place in shown:
            yield svg.line(
                [(x(layer), y(row[place])) for layer, row in enumerate(norms)],
                cls="layer-line longest" if place == longest else "layer-line",
                title=f"{place + 1}: “{tokens[place]}”, up to {max(row[place] for row in norms):,.4g}",
            )
        yield svg.line(
            [(x(layer), y(value)) for layer, value in enumerate(median)], cls="layer-median", title="Median"
        )

    return svg.drawing(WIDE, HIGH, parts(), cls="layer-lines")


def _ticks(low: float, high: float, logarithmic: bool) -> Iterable[float]:
    if logarithmic:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        found = [10.0**power for power in powers if low <= 10.0**power <= high]
        return found if len(found) > 1 else [low, high]
    step = 10.0 ** math.floor(math.log10(high))
    step = next(one for one in (step / 5, step / 2, step, step * 2) if high / one <= 6)
    return [index * step for index in range(int(high / step) + 1)]


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
    return status.hint(f"The first {MOST_DRAWN} of {count} positions are drawn; the JSON below has them all.")
