"""Drawings of the story: networks that read step by step, and how a network is trained in steps.

Everything is drawn from the start. Parts with a step, in order, are what `drawings.js` lets appear one after
the other when a visitor plays a drawing; the style sheet has the motion.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.figures import svg
from components.figures.markup import Markup, join

WIDE = 320  # CSS pixels: fits a phone
BOX = 24  # height of a box with a word
KEPT = 0.6  # of an early word, from one state to the next; for the drawing alone


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """`said` describes it in words, for who does not see it and below it for all."""

    title: str
    body: Markup
    said: str
    links: Markup = Markup()  # noqa: RUF009 - immutable


def drawings(shown: Sequence[Drawing]) -> Markup:
    """Side by side where there is room."""
    return Markup('<div class="drawings">{}</div>').format(
        join(
            Markup(
                '<figure class="drawing"><div class="drawing-head"><h3>{}</h3>'
                '<button type="button" class="play" aria-label="Play: {}">Play</button></div>'
                "{}<figcaption>{}</figcaption>{}</figure>"
            ).format(one.title, one.title, one.body, one.said, one.links)
            for one in shown
        )
    )


def recurrent(words: Sequence[str], label: str) -> Markup:
    """A recurrent network unrolled: a state for each word, made of the word and the state before it.

    A state's filling is how much of the first word is left in it.
    """
    places = _places(len(words), WIDE)
    wide = places[1] - places[0]
    parts: list[Markup] = []
    for index, (word, x) in enumerate(zip(words, places, strict=True)):
        left = KEPT**index
        drawn = [
            _box(x, 100, wide - 10, word, "read"),
            _arrow((x, 100), (x, 72)),
            svg.rect(x - 22, 30, 44, 40, cls="state"),
            svg.rect(
                x - 22,
                70 - 40 * left,
                44,
                40 * left,
                cls="filling",
                title=f"{100 * left:.0f} % of “{words[0]}”",
            ),
            svg.text(x, 55, f"h{_low(index + 1)}", cls="middle"),
        ]
        if index:
            drawn.append(_arrow((places[index - 1] + 23, 50), (x - 24, 50)))
        parts.append(_step(index, drawn))
    return _drawn(132, parts, label)


def bottleneck(source: Sequence[str], target: Sequence[str], label: str) -> Markup:
    """Two recurrent networks with a single vector between them."""
    return _two(source, target, label, weights=None)


def over_all_states(
    source: Sequence[str], target: Sequence[str], weights: Sequence[Sequence[float]], label: str
) -> Markup:
    """The same two, with attention: each state that writes reads from all that have read, a line as strong
    as its weight; `weights` [target, source]."""
    return _two(source, target, label, weights=weights)


def _two(
    source: Sequence[str], target: Sequence[str], label: str, weights: Sequence[Sequence[float]] | None
) -> Markup:
    above, below = _places(len(target), WIDE), _places(len(source), WIDE)
    wide = min(above[1] - above[0], below[1] - below[0])
    top, bottom = 62, 190  # middles of the states that write and of those that read
    parts: list[Markup] = []
    for index, (word, x) in enumerate(zip(source, below, strict=True)):
        drawn = [
            _box(x, bottom + 30, wide - 10, word, "read"),
            _arrow((x, bottom + 30), (x, bottom + 15)),
            svg.rect(x - 14, bottom - 13, 28, 26, cls="state"),
        ]
        if index:
            drawn.append(_arrow((below[index - 1] + 15, bottom), (x - 16, bottom)))
        parts.append(_step(index, drawn))
    after = len(source)
    if weights is None:
        middle = (top + bottom) / 2
        parts.append(
            _step(
                after,
                [
                    _arrow((below[-1], bottom - 14), (WIDE / 2 + 44, middle + 10)),
                    svg.rect(WIDE / 2 - 50, middle - 14, 100, 28, cls="narrow"),
                    svg.text(WIDE / 2, middle + 4, "a single vector", cls="middle"),
                    _arrow((WIDE / 2 - 44, middle - 14), (above[0], top + 15)),
                ],
            )
        )
        after += 1
    for index, (word, x) in enumerate(zip(target, above, strict=True)):
        drawn = []
        if weights is not None:
            drawn += [
                _weighted((x, top + 13), (below[place], bottom - 13), weight, f"{word} ← {source[place]}")
                for place, weight in enumerate(weights[index])
            ]
        drawn += [
            svg.rect(x - 14, top - 13, 28, 26, cls="state"),
            _arrow((x, top - 14), (x, top - 29)),
            _box(x, top - 30 - BOX, wide - 10, word, "written"),
        ]
        if index:
            drawn.append(_arrow((above[index - 1] + 15, top), (x - 16, top)))
        parts.append(_step(after + index, drawn))
    return _drawn(bottom + 30 + BOX + 4, parts, label)


def training(lanes: Sequence[Mapping[str, str]], label: str) -> Markup:
    """Boxes from left to right for each way of training: what it starts from and what comes out. Keys of a
    lane: title, start, data, end."""
    parts: list[Markup] = []
    for number, lane in enumerate(lanes):
        top = 20 + number * 118
        parts += [
            svg.text(0, top, lane["title"], cls="strong"),
            _step(2 * number, [_label(0, top + 14, 132, lane["data"], "data")]),
            _step(2 * number, [_label(0, top + 58, 132, lane["start"], lane["kind"])]),
            _step(
                2 * number + 1,
                [
                    _arrow((134, top + 31), (184, top + 44)),
                    _arrow((134, top + 75), (184, top + 62)),
                    _label(188, top + 36, 132, lane["end"], "made"),
                ],
            ),
        ]
    return _drawn(20 + 118 * len(lanes) - 8, parts, label)


def ulmfit(steps: Sequence[str], layers: int, label: str) -> Markup:
    """A network of `layers` layers three times: pretrained, adapted, fine-tuned with a new head, its layers
    unfrozen one after the other from the top."""
    wide, gap = 92, 22
    parts: list[Markup] = []
    at = 0
    for place, title in enumerate(steps):
        x = place * (wide + gap)
        drawn = [svg.text(x + wide / 2, 196, title, cls="middle small")]
        for layer in range(layers):
            y = 150 - layer * 28
            drawn.append(svg.rect(x, y, wide, 22, cls=("fresh", "adapted", "kept")[place]))
            drawn.append(svg.text(x + wide / 2, y + 15, f"layer {layer + 1}", cls="middle small"))
        head = "next word" if place < 2 else "new head: label"
        y = 150 - layers * 28 - 8
        drawn.append(svg.rect(x, y, wide, 22, cls="head" if place < 2 else "fresh"))
        drawn.append(svg.text(x + wide / 2, y + 15, head, cls="middle small"))
        if place:
            drawn.append(_arrow((x - gap + 2, 110), (x - 3, 110)))
        parts.append(_step(at, drawn))
        at += 1
        if place == 2:
            for layer in reversed(range(layers)):
                y = 150 - layer * 28
                parts.append(_step(at, [svg.rect(x, y, wide, 22, cls="thawed")]))
                at += 1
    return _drawn(204, parts, label)


def ecosystem(names: Sequence[str], label: str) -> Markup:
    """The libraries around the Hub: what goes where. In the order Hub, Datasets, Tokenizers, Transformers,
    Accelerate."""
    hub, datasets, tokenizers, transformers, accelerate = names
    parts = [
        _step(0, [_label(60, 6, 200, hub, "data")]),
        _step(
            1,
            [
                _arrow((100, 42), (60, 70)),
                _label(0, 72, 120, datasets, "made"),
                _arrow((220, 42), (260, 70)),
                _label(200, 72, 120, tokenizers, "made"),
            ],
        ),
        _step(
            2,
            [
                _arrow((60, 108), (110, 136)),
                _arrow((260, 108), (210, 136)),
                _arrow((160, 42), (160, 136)),
                _label(85, 138, 150, transformers, "made"),
            ],
        ),
        _step(3, [_arrow((160, 202), (160, 176)), _label(60, 204, 200, accelerate, "kept")]),
    ]
    return _drawn(246, parts, label)


def _places(count: int, wide: float) -> list[float]:
    """Middles of `count` columns."""
    return [(index + 0.5) * wide / count for index in range(count)]


def _low(number: int) -> str:
    return "".join(chr(0x2080 + int(digit)) for digit in str(number))


def _box(x: float, y: float, wide: float, word: str, cls: str) -> Markup:
    """A word in a box around the middle `x`."""
    return svg.rect(x - wide / 2, y, wide, BOX, cls=cls) + svg.text(x, y + 16, word, cls="middle")


def _label(x: float, y: float, wide: float, words: str, cls: str) -> Markup:
    """A box with one line or two, parted by a bar."""
    lines = words.split("|")
    drawn = svg.rect(x, y, wide, 36, cls=cls)
    for number, line in enumerate(lines):
        middle = y + (22 if len(lines) == 1 else 16 + 14 * number)
        drawn += svg.text(x + wide / 2, middle, line, cls="middle small")
    return drawn


def _arrow(start: tuple[float, float], end: tuple[float, float]) -> Markup:
    angle = math.atan2(end[1] - start[1], end[0] - start[0])
    head = [
        (end[0] - 6 * math.cos(angle + side), end[1] - 6 * math.sin(angle + side)) for side in (0.45, -0.45)
    ]
    return svg.line([start, end], cls="arrow") + svg.line([head[0], end, head[1]], cls="arrow")


def _weighted(start: tuple[float, float], end: tuple[float, float], weight: float, title: str) -> Markup:
    return Markup(
        '<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" class="weight" '
        'stroke-width="{:.1f}"><title>{} {:.0f} %</title></line>'
    ).format(*start, *end, 0.5 + 5 * weight, title, 100 * weight)


def _step(at: int, parts: Sequence[Markup]) -> Markup:
    return Markup('<g class="step" style="--at:{}">{}</g>').format(at, join(parts))


def _drawn(high: float, parts: Sequence[Markup], label: str) -> Markup:
    drawing = svg.drawing(WIDE, high, parts, cls="network")
    return Markup('<svg role="img" aria-label="{}"').format(label) + drawing[len("<svg") :]
