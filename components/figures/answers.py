"""One figure per task: (request, answer) as in the API's JSON -> escaped HTML."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from components import texts
from components.figures import spans
from components.figures.markup import Markup, bar_rows, escape, join, percent
from components.tasks.fill_mask import MASK, spelled

TEXTS = texts.beside(__file__)

Json = Mapping[str, Any]


def similarity(request: Json, answer: Json) -> Markup:
    """Sentences ranked by their score; the number before each is its place in the input. All pairs below, if
    the answer has them."""
    ranked = sorted(enumerate(answer["scores"]), key=lambda pair: -pair[1])
    full = 1.0 if request.get("measure") != "dot" else max(1e-9, *map(abs, answer["scores"]))
    figure = bar_rows(
        (
            (
                Markup('<span class="index">{}</span> {}').format(index + 1, request["sentences"][index]),
                score / full,
                f"{score:.3f}",
            )
            for index, score in ranked
        ),
        caption="Sentences, most similar first",
        columns=("Sentence", "Similarity"),
    )
    if not answer["matrix"]:
        return figure
    return figure + heat_map(
        [request["source"], *request["sentences"]],
        answer["matrix"],
        caption=TEXTS["pairs"],
    )


def heat_map(names: Sequence[str], values: Sequence[Sequence[float]], *, caption: str) -> Markup:
    """A square of numbers, the larger the fuller of colour; rows and columns are called by their place."""
    low, high = min(map(min, values)), max(map(max, values))
    width = max(1e-9, high - low)
    head = join(
        Markup('<th scope="col" title="{}">{}</th>').format(name, place) for place, name in enumerate(names)
    )
    rows = join(
        Markup('<tr><th scope="row" title="{}">{}</th>{}</tr>').format(
            names[place],
            place,
            join(
                Markup('<td style="--share:{:.3f}">{:.2f}</td>').format((value - low) / width, value)
                for value in row
            ),
        )
        for place, row in enumerate(values)
    )
    return Markup(
        '<h3>All pairs</h3><p class="hint">{caption}.</p>'
        '<div class="grid-box" tabindex="0" role="region" aria-label="{caption}">'
        '<table class="heat-map"><thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    ).format(caption=caption, head=head, rows=rows)


def labels(request: Json, answer: Json) -> Markup:
    """Labels with their scores, highest first."""
    return _label_bars(answer["labels"], "Labels, most likely first", best=[0])


def classification(request: Json, answer: Json) -> Markup:
    """Labels with their scores; those that fit stand out, and are named unless it is just the first."""
    chosen = answer["chosen"]
    said = Markup()
    if not chosen:
        said = Markup('<p class="verdict">{}</p>').format("No label reaches its threshold.")
    elif len(chosen) > 1:
        said = Markup('<p class="verdict">{}</p>').format("These fit: " + ", ".join(chosen) + ".")
    fitting = [index for index, row in enumerate(answer["labels"]) if row["label"] in chosen]
    return said + _label_bars(answer["labels"], "Labels, highest score first", best=fitting)


def score(value: float) -> str:
    """A probability as a percentage, a logit as the number that it is."""
    return percent(value) if 0 <= value <= 1 else f"{value:.3f}"


def _label_bars(rows: Sequence[Json], caption: str, best: Sequence[int]) -> Markup:
    """Logits, which are no shares of anything, get bars from the lowest to the highest."""
    values = [row["score"] for row in rows]
    low, high = min([0.0, *values]), max([1.0, *values])
    logits = low < 0 or high > 1
    return bar_rows(
        (
            (row["label"], (value - low) / (high - low), f"{value:.3f}" if logits else percent(value))
            for row, value in zip(rows, values, strict=True)
        ),
        caption=caption,
        columns=("Label", "Logit" if logits else "Score"),
        best=best,
    )


def entities(request: Json, answer: Json) -> Markup:
    """The text with its names marked."""
    return spans.marked(
        request["text"],
        [
            spans.Mark(start=one["start"], end=one["end"], label=one["label"], score=one["score"])
            for one in answer["entities"]
        ],
        nothing="No names found in this text.",
        table="All names as a table",
    )


def candidates(request: Json, answer: Json) -> Markup:
    """What fits the gap, with the sentence that each candidate makes."""
    return bar_rows(
        (
            (
                Markup(
                    '<strong>{}</strong> <span class="ids">{}</span><span class="sequence">{}</span>'
                ).format(row["token"], _token_ids(row["token_ids"]), filled(request["text"], row)),
                row["score"],
                percent(row["score"]),
            )
            for row in answer["candidates"]
        ),
        caption="Candidates for the gap, most likely first",
        columns=("Candidate", "Score"),
    )


def _token_ids(gaps: Sequence[Sequence[int]]) -> str:
    """The ids of each gap's tokens, in words."""
    several = len(gaps) > 1 or any(len(ids) > 1 for ids in gaps)
    return f"token{'s' if several else ''} " + " / ".join(" ".join(map(str, ids)) for ids in gaps)


def filled(text: str, candidate: Json) -> Markup:
    """The completed sentence with what was filled in marked, found by the text between the gaps."""
    sequence: str = candidate["sequence"]
    around = spelled(text).split(MASK)
    marked, position = Markup(), 0
    for index, literal in enumerate(around):
        start = sequence.find(literal, position) if index < len(around) - 1 else len(sequence) - len(literal)
        if start < position or not sequence.startswith(literal, start):
            return escape(sequence)
        if index:
            marked += Markup("<mark>{}</mark>").format(sequence[position:start])
        marked += escape(literal)
        position = start + len(literal)
    return marked


def generation(request: Json, answer: Json) -> Markup:
    """Generated text; in plain completion it follows on the prompt, which is shown dimmed.

    A whole answer to a message can be replied to: the page's script (generation.js) sends the reply with the
    turns that it has in `data-turns`.
    """
    if request.get("mode") == "plain":
        figure = Markup('<p class="completion" dir="auto"><span class="prompt">{}</span>{}</p>')
        return figure.format(request["prompt"], answer["text"])
    turns = [
        *(request.get("messages") or [{"role": "user", "content": request["prompt"]}]),
        {"role": "assistant", "content": answer["text"]},
    ]
    bubbles = join(
        Markup('<p class="turn {}" dir="auto">{}</p>').format(_SPEAKERS[turn["role"]], turn["content"])
        for turn in turns
    )
    ready = answer["finish_reason"] is not None and answer["text"].strip()
    reply = _REPLY.format(json.dumps(turns, ensure_ascii=False)) if ready else ""
    return Markup('<div class="dialogue">{}</div>{}').format(bubbles, reply)


_SPEAKERS = {"system": "system", "user": "you", "assistant": "model"}
_REPLY = Markup(
    '<form class="reply" data-turns="{}"><input type="text" aria-label="Your reply" '
    'placeholder="Continue the conversation" dir="auto"><button>Reply</button></form>'
)


def teaser(value: str | Markup, score: str | None = None) -> Markup:
    """One line for a card on the home page."""
    tail = Markup(' <span class="value">{}</span>').format(score) if score else ""
    return Markup('<span dir="auto">{}</span>{}').format(value, tail)


def listing(items: tuple[str, ...]) -> Markup:
    return Markup("<ul>{}</ul>").format(join(Markup("<li>{}</li>").format(item) for item in items))
