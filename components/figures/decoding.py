"""How a text was written: tokens among their alternatives, the first one's distribution, the beams."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from components import texts
from components.figures import svg
from components.figures.markup import Markup, join, percent
from components.tasks.fields import option_fields
from components.tasks.text_generation import TASK

TEXTS = texts.beside(__file__)

Json = Mapping[str, Any]

# Tokens that are drawn; the JSON has them all.
MOST_STEPS = 200
# What the draw depends on; the page's options set these, and the chart follows them.
SAMPLING = ("temperature", "top_k", "top_p", "min_p")
# What decides the chances of a next token: the options that only decide how it is drawn have no part.
ASKED = ("prompt", "messages", "mode", "system", "model")


def decoding(request: Json, answer: Json) -> Markup:
    """Nothing where no alternatives were asked for, or while the text still grows.

    An alternative is a button with `data-pick`, its step and its place there; the chart of the next token is
    drawn by the page's script (generation.js), out of `data-logits` and the page's options.
    """
    if not answer["steps"]:
        return Markup()
    return _steps(answer["steps"]) + _beams(answer["beams"]) + _next_token(request, answer)


def begin(answer: Json, step: int, alternative: int) -> str:
    """The text before a step of an answer, and then one of its alternatives."""
    chosen = answer["steps"][step]
    return str(answer["text"])[: chosen["start"]] + str(chosen["alternatives"][alternative]["text"])


def _steps(steps: Sequence[Json]) -> Markup:
    drawn = join(_step(index, step) for index, step in enumerate(steps[:MOST_STEPS]))
    rest = len(steps) - MOST_STEPS
    more = (
        Markup('<p class="hint">{:,} more tokens are in the JSON below.</p>').format(rest) if rest > 0 else ""
    )
    return Markup(
        '<section class="decoding"><h2>Token by token</h2><p class="hint">{}</p>'
        '<div class="steps" dir="auto">{}</div>{}</section>'
    ).format(TEXTS["steps"], drawn, more)


def _step(index: int, step: Json) -> Markup:
    return Markup(
        '<details class="step" name="step"><summary style="--share:{share:.3f}" title="{chance}">'
        '{text}<span class="visually-hidden"> {chance}</span></summary>'
        '<div class="alternatives">{alternatives}</div></details>'
    ).format(
        share=step["probability"],
        chance=percent(step["probability"]),
        text=visible(step),
        alternatives=join(_alternative(index, place, one) for place, one in enumerate(step["alternatives"])),
    )


def _alternative(step: int, place: int, one: Json) -> Markup:
    inside = Markup(
        '<span class="piece">{}</span><span class="bar" style="--share:{:.4f}"></span>'
        '<span class="value">{}</span>'
    ).format(visible(one), one["probability"], percent(one["probability"]))
    if one["special"]:
        return Markup('<span class="alternative" title="ends the text">{}</span>').format(inside)
    return Markup(
        '<button type="button" class="alternative" data-pick="[{},{}]" title="continue from here">{}</button>'
    ).format(step, place, inside)


def visible(token: Json) -> Markup:
    """A token's text with its line ends and leading space shown; a special one by its name."""
    if token["special"]:
        return Markup('<span class="special">{}</span>').format(token["text"])
    text = str(token["text"])
    space = Markup('<span class="blank">·</span>') if text.startswith(" ") else ""
    return (
        Markup("{}{}")
        .format(space, text[1:] if space else text)
        .replace("\n", Markup('<span class="blank">↵</span>'))
    )


def _beams(branches: Sequence[Json]) -> Markup:
    if not branches:
        return Markup()
    drawn = svg.figure(
        beam_tree(branches),
        name="beams",
        label=TEXTS["beams.label"],
        numbers={"beams": [dict(branch) for branch in branches]},
    )
    return Markup(
        '<section class="decoding"><h2>Beams</h2><p class="hint">{}</p>'
        "{}<details><summary>As a list</summary>{}</details></section>"
    ).format(TEXTS["beams.explained"], drawn, _branches(branches, -1))


# Of the tree of beams, in CSS pixels.
BEAM_ROW, BEAM_GAP, BEAM_LETTER, BEAM_LETTERS = 24, 26, 7.2, 28


def beam_tree(branches: Sequence[Json]) -> Markup:
    """Branches from left to right, each level with what goes on from it."""
    children: dict[int, list[int]] = {}
    for index, branch in enumerate(branches):
        children.setdefault(branch["parent"], []).append(index)
    words = [_one_line(branch["text"]) for branch in branches]
    starts: dict[int, float] = {}
    ends: dict[int, float] = {-1: 10.0}
    for index, branch in enumerate(branches):  # parents come before what goes on from them
        starts[index] = ends[branch["parent"]] + BEAM_GAP
        ends[index] = starts[index] + max(1, len(words[index])) * BEAM_LETTER + 6
    rows: dict[int, float] = {}
    free = 0
    for index in _in_order(children):
        if not children.get(index):
            rows[index] = free * BEAM_ROW + 20
            free += 1
    for index in reversed(range(len(branches))):
        if own := children.get(index):
            rows[index] = fmean(rows[child] for child in own)
    rows[-1] = fmean(rows[child] for child in children[-1])

    def parts() -> Iterator[Markup]:
        for best in (False, True):  # the path that won lies over the others
            for index, branch in enumerate(branches):
                if bool(branch["best"]) is not best:
                    continue
                cls = "beam-best" if best else "beam"
                parent = branch["parent"]
                yield svg.line([(ends[parent], rows[parent]), (starts[index] - 3, rows[index])], cls=cls)
                score = f"log-probability {branch['log_probability']:.2f}"
                yield svg.text(starts[index], rows[index] + 4, words[index], cls=f"{cls}-text", title=score)
                if not children.get(index) and not best:
                    lost = f"{branch['log_probability']:.1f}"
                    yield svg.text(ends[index] + 4, rows[index] + 4, lost, cls="beam-score")

    return svg.drawing(max(ends.values()) + 50, free * BEAM_ROW + 24, parts(), cls="beam-tree")


def _in_order(children: Mapping[int, Sequence[int]]) -> Iterator[int]:
    """Depth first, so that lines do not cross."""
    waiting = list(reversed(children.get(-1, ())))
    while waiting:
        index = waiting.pop()
        yield index
        waiting += reversed(children.get(index, ()))


def _one_line(text: str) -> str:
    shown = text.replace("\n", "↵").replace("\t", "⇥").strip(" ") or "␣"
    return shown if len(shown) <= BEAM_LETTERS else f"{shown[: BEAM_LETTERS - 1]}…"


def _branches(branches: Sequence[Json], parent: int) -> Markup:
    rows = [
        Markup(
            '<li{}><span class="piece" dir="auto">{}</span> <span class="value">{:.2f}</span>{}</li>'
        ).format(
            Markup(' class="best"') if branch["best"] else "",
            visible({"text": branch["text"], "special": False}),
            branch["log_probability"],
            _branches(branches, index),
        )
        for index, branch in enumerate(branches)
        if branch["parent"] == parent
    ]
    return Markup('<ul class="tree">{}</ul>').format(join(rows)) if rows else Markup()


def _next_token(request: Json, answer: Json) -> Markup:
    """The chart's data for the script: of the first token its logits, of the others what to ask the API
    for."""
    defaults = {field.name: field.default for field in option_fields(TASK.options)}
    distribution = answer["next_token"]
    data = {
        "tokens": [[one["text"], one["logit"]] for one in distribution["tokens"]],
        "rest": [[one["logit"], one["count"]] for one in distribution["rest"]],
    }
    about = {
        "asked": {"model": answer["model"], **{name: request[name] for name in ASKED if name in request}},
        "sampling": {name: request.get(name, defaults[name]) for name in SAMPLING},
        "text": answer["text"],
        "starts": [step["start"] for step in answer["steps"][:MOST_STEPS]],
    }
    return Markup(
        '<section class="decoding next-token" data-logits="{data}" data-about="{about}">'
        "<h2>The next token</h2>"
        '<p class="hint">{explained}</p>'
        '<button type="button" class="open-options">Show the options</button>'
        '<table class="bars"><caption class="visually-hidden">Tokens by their '
        "probability</caption><tbody></tbody>"
        "</table></section>"
    ).format(
        data=json.dumps(data, ensure_ascii=False),
        about=json.dumps(about, ensure_ascii=False),
        explained=TEXTS.line(
            "next",
            where=Markup('<span class="where">at the start</span>'),
            sampling=Markup('<span class="sampling"></span>'),
        ),
    )
