"""How a text was written: tokens among their alternatives, the first one's distribution, the beams."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from components.figures.markup import Markup, join, percent

Json = Mapping[str, Any]

# Tokens that are drawn; the JSON has them all.
MOST_STEPS = 200
# Of each control of the next-token chart: name, title, lowest, highest, step, value that changes nothing.
CONTROLS = (
    ("temperature", "Temperature", 0, 2, 0.05, 1),
    ("top_k", "Top-k", 0, 100, 1, 0),
    ("top_p", "Top-p", 0.05, 1, 0.05, 1),
    ("min_p", "Min-p", 0, 1, 0.01, 0),
)


def decoding(request: Json, answer: Json) -> Markup:
    """Nothing where no alternatives were asked for, or while the text still grows.

    An alternative is a button with `data-pick`, its step and its place there; the next-token chart is drawn
    by the page's script, out of `data-logits` and the controls.
    """
    if not answer["steps"]:
        return Markup()
    return _steps(answer["steps"]) + _beams(answer["beams"]) + _next_token(answer["next_token"])


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
        '<section class="decoding"><h2>Token by token</h2><p class="hint">The paler a token, the less likely '
        "the model found it. Open one to see what else it weighed, and pick another to go on from there.</p>"
        '<div class="steps" dir="auto">{}</div>{}</section>'
    ).format(drawn, more)


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
        '<button type="button" class="alternative" data-pick="[{},{}]" title="go on from here">{}</button>'
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
    return Markup(
        '<section class="decoding"><h2>Beams</h2><p class="hint">What was pursued at once, each with its '
        "log-probability; the path in bold became the text.</p>{}</section>"
    ).format(_branches(branches, -1))


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


def _next_token(distribution: Json) -> Markup:
    """The chart's controls, and its data for the script."""
    data = {
        "tokens": [[one["text"], one["logit"]] for one in distribution["tokens"]],
        "rest": [[one["logit"], one["count"]] for one in distribution["rest"]],
    }
    controls = join(
        Markup(
            '<label>{title} <output>{value}</output><input type="range" name="{name}" min="{low}" '
            'max="{high}" step="{step}" value="{value}"></label>'
        ).format(name=name, title=title, low=low, high=high, step=step, value=value)
        for name, title, low, high, step, value in CONTROLS
    )
    return Markup(
        '<section class="decoding next-token" data-logits="{data}"><h2>The first token</h2><p class="hint">'
        "What the model may write first. Move the controls to see what each makes of it; nothing is computed "
        'anew but this chart.</p><div class="controls">{controls}</div><table class="bars"><caption '
        'class="visually-hidden">Tokens by their probability</caption><tbody></tbody></table></section>'
    ).format(data=json.dumps(data, ensure_ascii=False), controls=controls)
