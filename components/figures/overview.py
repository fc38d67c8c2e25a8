"""One text through everything, in small: a figure for each part, and a strip that runs through one model.

Requests and answers are those of the parts' own operations, in the API's JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from components import texts
from components.figures import status, svg, tables, tokens
from components.figures.markup import Markup, bar_rows, escape, join, percent
from components.figures.translations import with_doubts

TEXTS = texts.beside(__file__)

Json = Mapping[str, Any]

MOST_TOKENS = 60  # chips on a card
MOST_PICTURED = 24  # tokens of the strip
STRONGEST = 0.85  # tint
LONG = 400  # characters, beyond which a text scrolls on its card
ROW, WIDTH = 22, 250  # of the picture of a head, in its own units


def card(part: str, request: Json, answer: Json) -> Markup:
    """The figure of a part by its name."""
    return _FIGURES[part](request, answer)


def strip(sentence: str, answers: Mapping[str, Json]) -> Markup:
    """A sentence on its way through one model: tokens, one attention head, layers, verdict, reasons. What is
    not there yet is an empty place."""
    attention, layers, why = (answers.get(name) for name in ("attention", "layers", "attribution"))
    stages = (
        ("Tokens", "The text as entries of the vocabulary.", attention and _pieces(attention)),
        ("Attention", "Which token reads from which, in one of 12 heads.", attention and _head(attention)),
        ("Layers", "How far each layer moves each token.", layers and _moves(layers)),
        ("Verdict", "What the last layer predicts.", why and _bars(why["choices"], "text", "Verdict")),
        ("Why", "What each word contributes.", why and _tinted(sentence, why)),
    )
    whole = Markup('<ol class="strip" tabindex="0" aria-label="“{}” on its way through one model">{}</ol>')
    return whole.format(
        sentence,
        join(
            Markup('<li><h3>{}</h3><div class="stage">{}</div><p class="hint">{}</p></li>').format(
                title, figure or Markup('<span class="skeleton"></span>'), says
            )
            for title, says, figure in stages
        ),
    )


def _tokens(request: Json, answer: Json) -> Markup:
    [found] = answer["tokenizations"]
    own = [one["text"] for one in found["tokens"] if not one["special"]]
    return tokens.chips(own, MOST_TOKENS) + Markup(
        '<p class="hint">{:,} tokens of {:,} in the vocabulary</p>'
    ).format(len(own), found["vocabulary_size"])


def _pieces(attention: Json) -> Markup:
    return tokens.chips(attention["tokens"], MOST_PICTURED)


def _labels(request: Json, answer: Json) -> Markup:
    bars = _bars(answer["labels"], "label", "Labels")
    independent = sum(one["score"] for one in answer["labels"]) > 1.001
    return bars + (status.hint(TEXTS["independent"]) if independent else Markup())


def _bars(rows: Sequence[Json], name: str, caption: str) -> Markup:
    return bar_rows(
        ((one[name], one["score"], percent(one["score"])) for one in rows),
        caption=caption,
        columns=(caption, "Score"),
    )


def _entities(request: Json, answer: Json) -> Markup:
    return _inline(request["text"], [(one["start"], one["end"], one["label"]) for one in answer["entities"]])


def _answer(request: Json, answer: Json) -> Markup:
    best = answer["answers"][:1]
    if not best or answer["no_answer"] > best[0]["score"]:
        return Markup('<p class="hint">The text does not say.</p>')
    return _inline(request["context"], [(one["start"], one["end"], percent(one["score"])) for one in best])


def _summary(request: Json, answer: Json) -> Markup:
    if not answer["sentences"]:
        return _paragraph(escape(answer["summary"]), len(answer["summary"]))
    return _inline(request["text"], [(one["start"], one["end"], "") for one in answer["sentences"]])


def _inline(text: str, marks: Sequence[tuple[int, int, str]]) -> Markup:
    """The text with marks, each with a word behind it; what overlaps an earlier mark is left out."""
    parts, position = [], 0
    for start, end, label in sorted(marks):
        if start < position:
            continue
        parts.append(escape(text[position:start]))
        tag = Markup(' <span class="value">{}</span>').format(label) if label else ""
        parts.append(Markup("<mark>{}</mark>{}").format(text[start:end], tag))
        position = end
    parts.append(escape(text[position:]))
    return _paragraph(join(parts), len(text))


def _paragraph(words: Markup, length: int) -> Markup:
    """A text; a long one scrolls in its place, by keys too."""
    scrolls = Markup(' tabindex="0" role="region" aria-label="Text"') if length > LONG else ""
    return Markup('<p class="in-small{}" dir="auto"{}>{}</p>').format(
        " scrolls" if scrolls else "", scrolls, words
    )


def _similar(request: Json, answer: Json) -> Markup:
    ranked = sorted(zip(request["sentences"], answer["scores"], strict=True), key=lambda pair: -pair[1])
    return bar_rows(
        ((sentence, score, f"{score:.2f}") for sentence, score in ranked),
        caption="Sentences by how close they are in meaning",
        columns=("Sentence", "Cosine"),
    )


def _attention(request: Json, answer: Json) -> Markup:
    return _head(answer)


def _head(answer: Json) -> Markup:
    """The tokens on both sides, and a line from each that reads to those it reads from."""
    shown = answer["tokens"][:MOST_PICTURED]
    height = len(shown) * ROW + 6

    def parts() -> Sequence[Markup]:
        drawn = []
        for row, weights in enumerate(answer["weights"][: len(shown)]):
            for column, weight in enumerate(weights[: len(shown)]):
                if weight > 0.04:
                    drawn.append(
                        Markup(
                            '<line x1="88" y1="{}" x2="{}" y2="{}" stroke-opacity="{:.2f}" '
                            'pathLength="1" style="--row:{}"/>'
                        ).format(row * ROW + 14, WIDTH - 88, column * ROW + 14, min(1.0, weight * 1.4), row)
                    )
        for place, token in enumerate(shown):
            y = place * ROW + 18
            drawn.append(svg.text(82, y, _short(token), cls="reads"))
            drawn.append(svg.text(WIDTH - 82, y, _short(token), cls="read"))
        return drawn

    return svg.drawing(WIDTH, height, parts(), cls="head-in-small")


def _layers(request: Json, answer: Json) -> Markup:
    return _moves(answer)


def _moves(answer: Json) -> Markup:
    """A row for each layer, the first at the bottom; a cell is the darker the more the layer changes it."""
    shown = min(len(answer["tokens"]), MOST_PICTURED)
    moved = [[1 - kept for kept in row[:shown]] for row in answer["kept"]]
    most = max((value for row in moved for value in row), default=0.0) or 1.0
    rows = join(
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            layer,
            join(
                Markup('<td style="--share:{:.2f}" title="{} moves by {:.2f}"></td>').format(
                    value / most * STRONGEST, token, value
                )
                for token, value in zip(answer["tokens"], row, strict=False)
            ),
        )
        for layer, row in reversed(list(enumerate(moved, 1)))
    )
    return Markup(
        '<table class="moves"><caption class="visually-hidden">How far each layer moves each token</caption>'
        "<tbody>{}</tbody></table>"
    ).format(rows)


def _attribution(request: Json, answer: Json) -> Markup:
    target = Markup('<p class="hint">Why “{}”, by occlusion:</p>').format(answer["target"])
    return target + _tinted(request["text"], answer)


def _tinted(text: str, answer: Json) -> Markup:
    """The text with each word in the colour of what it adds, by occlusion."""
    [values] = [one["values"] for one in answer["methods"] if one["name"] == "occlusion"]
    most = max(map(abs, values), default=0.0) or 1.0
    parts, position = [], 0
    for unit, value in zip(answer["units"], values, strict=True):
        parts.append(escape(text[position : unit["start"]]))
        parts.append(
            Markup('<span class="part {}" style="--share:{:.2f}" title="{:+.2f}">{}</span>').format(
                "for" if value >= 0 else "against",
                abs(value) / most * STRONGEST,
                value,
                text[unit["start"] : unit["end"]],
            )
        )
        position = unit["end"]
    parts.append(escape(text[position:]))
    return Markup('<p class="in-small tinted" dir="auto">{}</p>').format(join(parts))


def _table(request: Json, answer: Json) -> Markup:
    marked = {tuple(cell) for cell in answer["cells"]}
    said = Markup('<p class="table-answer" dir="auto"><strong>{}</strong></p>').format(
        answer["answer"] or "(an empty cell)"
    )
    grid = tables.grid(request["table"]["columns"], request["table"]["rows"], marked)
    return said + grid + status.hint(TEXTS["table"])


def _next_word(request: Json, answer: Json) -> Markup:
    likely = answer["steps"][0]["alternatives"] if answer["steps"] else []
    rows = bar_rows(
        ((one["text"].strip() or "↵", one["probability"], percent(one["probability"])) for one in likely),
        caption="Most likely next words",
        columns=("Word", "Probability"),
    )
    return Markup('<p class="in-small" dir="auto">{} <mark>…</mark></p>{}').format(request["prompt"], rows)


def _translation(request: Json, answer: Json) -> Markup:
    text = _paragraph(with_doubts(answer["translation"], answer["segments"]), len(answer["translation"]))
    unsure = any(one["unsure"] for one in answer["segments"])
    return text + (status.hint(TEXTS["unsure"]) if unsure else Markup())


def _gap(request: Json, answer: Json) -> Markup:
    return _paragraph(escape(request["text"]), len(request["text"])) + _bars(
        answer["candidates"], "token", "Word"
    )


def _short(token: str) -> str:
    return token if len(token) <= 10 else f"{token[:9]}…"


_FIGURES: Mapping[str, Callable[[Json, Json], Markup]] = {
    "tokens": _tokens,
    "sentiment": _labels,
    "entities": _entities,
    "answer": _answer,
    "table": _table,
    "emotions": _labels,
    "summary": _summary,
    "similar": _similar,
    "attention": _attention,
    "layers": _layers,
    "topics": _labels,
    "attribution": _attribution,
    "next_word": _next_word,
    "translation": _translation,
    "gap": _gap,
}
