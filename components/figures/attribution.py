"""Attribution: the text with its words tinted, all methods next to each other, an edit's two
sides.

`answer` is an attribution in the API's JSON. A value's colour says its sign: blue for what speaks for the
prediction, orange for what speaks against it. Both stay apart for colour-blind eyes, and the value stands
there as text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.figures import svg
from components.figures.markup import Markup, bar_rows, escape, join, percent
from components.texts import beside

TEXTS = beside(__file__)

Json = Mapping[str, Any]

TITLES: Mapping[str, str] = {
    "occlusion": "Occlusion",
    "gradient_x_input": "Gradient × input",
    "integrated_gradients": "Integrated gradients",
    "attention_rollout": "Attention rollout",
}
UNSIGNED = frozenset({"attention_rollout"})
SOURCES: Mapping[str, tuple[str, str]] = {
    "question_answering": ("Context", "Question"),
    "sentence_similarity": ("Text", "Second text"),
    "text_generation": ("Prompt", "Beginning of the answer"),
}
# Rows that are drawn.
MOST_ROWS = 40
# Of a colour: letters on it must stay legible.
STRONGEST = 0.55
COLUMN, ROW, HEAD = 148, 26, 44
LONGEST_LABEL, LETTER = 22, 8.2


def head(answer: Json) -> Markup:
    """What is explained, with the numbers that a reader needs to judge the rest."""
    target, against = answer["target"], answer["against"]
    rather = Markup(" rather than <strong>“{}”</strong>").format(_short(against)) if against else Markup()
    return Markup('<p class="explained">{explained}</p>{exact}{disagree}').format(
        explained=TEXTS.line(
            "explained",
            target=_short(target),
            rather=rather,
            score=number(answer["score"]),
            means=answer["means"],
            left=number(answer["score"] - answer["change"]),
            change=number(answer["change"], signed=True),
        ),
        exact=Markup('<p class="reading">{}</p>').format(completeness(answer)),
        disagree=Markup('<p class="reading">{}</p>').format(answer["agreement"]["sentence"]),
    )


def completeness(answer: Json) -> str:
    """The error of integrated gradients in words."""
    return TEXTS["completeness"].format(steps=answer["steps"], error=percent(answer["completeness_error"]))


def tinted(request: Json, answer: Json, chosen: int = -1) -> Markup:
    """The texts with each part tinted, once per method, of which switches show one. Parts are buttons that
    say which one they are."""
    if not answer["units"]:
        return Markup()
    switches = join(
        Markup(
            '<label><input type="radio" name="attribution-method" class="method-{index}"{checked}> {title}'
            "</label>"
        ).format(
            index=index,
            checked=Markup(" checked") if index == _opening(answer) else "",
            title=TITLES[method["name"]],
        )
        for index, method in enumerate(answer["methods"])
    )
    texts = join(
        Markup('<div class="shown shown-{index}"><p class="reading">{says} {note}</p>{body}</div>').format(
            index=index,
            says=TEXTS[f"methods.{method['name']}"],
            note=method["note"],
            body=_texts(request, answer, method, chosen),
        )
        for index, method in enumerate(answer["methods"])
    )
    return Markup(
        '<div class="tinted"><fieldset class="methods"><legend>Method</legend>{switches}</fieldset>{texts}'
        '<p class="legend" aria-hidden="true"><span class="part for" style="--share:.9">speaks for it</span> '
        '<span class="part against" style="--share:.9">speaks against it</span></p></div>'
    ).format(switches=switches, texts=texts)


def _opening(answer: Json) -> int:
    """Integrated gradients, which add up."""
    names = [method["name"] for method in answer["methods"]]
    return names.index("integrated_gradients")


def _texts(request: Json, answer: Json, method: Json, chosen: int) -> Markup:
    titles = SOURCES.get(answer["task"], ("Text", "Second text"))
    drawn = []
    for source, title in zip(("text", "text_pair"), titles, strict=True):
        units = [(index, unit) for index, unit in enumerate(answer["units"]) if unit["source"] == source]
        if not units:
            continue
        text = request.get(source) or ""
        scale = _scale(method["values"])
        body, after = [], 0
        for index, unit in units:
            body.append(escape(text[after : unit["start"]]))
            body.append(_part(index, unit["text"], method, scale, index == chosen, first=index == 0))
            after = unit["end"]
        body.append(escape(text[after:]))
        heading = Markup("<h4>{}</h4>").format(title) if source == "text_pair" or _pairs(answer) else ""
        drawn.append(
            Markup('{}<div class="parts" dir="auto" role="group" aria-label="{}">{}</div>').format(
                heading, f"{title}, {TITLES[method['name']]}", join(body)
            )
        )
    return join(drawn)


def _pairs(answer: Json) -> bool:
    return any(unit["source"] == "text_pair" for unit in answer["units"])


def _part(index: int, text: str, method: Json, scale: float, chosen: bool, *, first: bool) -> Markup:
    value = method["values"][index]
    said = number(value, signed=method["name"] not in UNSIGNED)
    return Markup(
        '<button type="button" class="part {sign}" data-unit="{index}" tabindex="{tab}" '
        'aria-pressed="{chosen}" title="{said}" style="--share:{share:.3f}">{text}'
        '<span class="visually-hidden"> {said}</span></button>'
    ).format(
        sign="against" if value < 0 else "for",
        index=index,
        tab=0 if first else -1,  # arrow keys lead to the others
        chosen="true" if chosen else "false",
        said=said,
        share=abs(value) / scale,
        text=text,
    )


def _scale(values: Sequence[float]) -> float:
    return max(map(abs, values), default=0.0) or 1.0


def number(value: float, *, signed: bool = False) -> str:
    """As many digits as matter, with a true minus sign."""
    size = abs(value)
    digits = 2 if size >= 1 else 3 if size >= 0.0005 or not size else 5
    sign = "−" if value < 0 else "+" if signed and value > 0 else ""
    return f"{sign}{size:.{digits}f}"


def grid(answer: Json) -> Markup:
    """All methods next to each other: a row per part, a column per method, each column in its own scale."""
    units, methods = answer["units"], answer["methods"]
    if not units:
        return Markup()
    shares = [[abs(value) / _scale(method["values"]) for value in method["values"]] for method in methods]
    largest = sorted(range(len(units)), key=lambda row: -max(column[row] for column in shares))
    rows = sorted(largest[:MOST_ROWS])
    words = [_label(units[row]["text"]) for row in rows]
    label_width = 20 + LETTER * max(map(len, words))
    width, height = label_width + COLUMN * len(methods), HEAD + ROW * len(rows)
    parts: list[Markup] = []
    for column, method in enumerate(methods):
        x = label_width + COLUMN * column
        parts.append(svg.text(x + COLUMN / 2, HEAD - 16, TITLES[method["name"]], cls="middle strong"))
        for line, row in enumerate(rows):
            y, value = HEAD + ROW * line, method["values"][row]
            said = number(value, signed=method["name"] not in UNSIGNED)
            parts.append(
                svg.rect(
                    x + 2,
                    y + 1,
                    COLUMN - 4,
                    ROW - 2,
                    cls="cell against" if value < 0 else "cell for",
                    share=STRONGEST * shares[column][row],
                    title=f"{units[row]['text']}, {TITLES[method['name']]}: {said}",
                )
            )
            parts.append(svg.text(x + COLUMN / 2, y + 17, said, cls="middle figures"))
    parts += [
        svg.text(label_width - 10, HEAD + ROW * line + 17, word, cls="end") for line, word in enumerate(words)
    ]
    label = f"Values of {len(rows)} parts by {len(methods)} methods: " + "; ".join(
        f"{TITLES[method['name']]} is largest for “{units[_largest(method)]['text']}”" for method in methods
    )
    drawn = svg.figure(
        svg.drawing(width, height, parts, cls="attribution-grid"),
        name="attribution",
        label=label,
        numbers={
            "task": answer["task"],
            "target": answer["target"],
            "against": answer["against"],
            "rows": [unit["text"] for unit in units],
            "columns": [method["name"] for method in methods],
            "values": [[method["values"][row] for method in methods] for row in range(len(units))],
        },
    )
    rest = len(units) - len(rows)
    more = (
        Markup('<p class="hint">{}</p>').format(TEXTS["rest"].format(rows=MOST_ROWS, rest=rest))
        if rest
        else Markup()
    )
    return drawn + more + correlations(answer)


def _largest(method: Json) -> int:
    return max(range(len(method["values"])), key=lambda row: abs(method["values"][row]))


def _label(text: str) -> str:
    shown = " ".join(text.split()) or repr(text)
    return shown if len(shown) <= LONGEST_LABEL else f"{shown[: LONGEST_LABEL - 1]}…"


def _short(text: str, longest: int = 160) -> str:
    shown = " ".join(text.split())
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def correlations(answer: Json) -> Markup:
    """How far the methods agree."""
    rows = join(
        Markup('<tr><th scope="row">{} and {}</th><td>{}</td></tr>').format(
            TITLES[pair["first"]], TITLES[pair["second"]].lower(), number(pair["correlation"], signed=True)
        )
        for pair in answer["agreement"]["pairs"]
    )
    return Markup(
        "<details><summary>How far the methods agree</summary>"
        '<p class="hint">{}</p><div class="grid-box"><table class="grid"><thead><tr>'
        '<th scope="col">Methods</th><th scope="col">Correlation</th></tr></thead>'
        "<tbody>{}</tbody></table></div></details>"
    ).format(TEXTS["correlations"], rows)


def edited(answer: Json) -> Markup:
    """Both sides of an edit: the score before and after, and what is predicted."""
    unit, before, after = answer["unit"], answer["before"], answer["after"]
    becomes = f"becomes “{answer['replacement']}”" if answer["replacement"] else "is removed"
    if after["score"] is None:
        said = f"“{_short(answer['target'])}” can no longer be predicted."
    else:
        change = after["score"] - before["score"]
        said = (
            f"The score goes from {number(before['score'])} to {number(after['score'])}, "
            f"a change of {number(change, signed=True)}."
        )
    return Markup(
        '<p class="explained">“{unit}” {becomes}. {said}</p><div class="two-sides">{before}{after}</div>'
    ).format(
        unit=unit["text"],
        becomes=becomes,
        said=said,
        before=_side("Before", before, unit["source"]),
        after=_side("After", after, unit["source"]),
    )


def _side(title: str, side: Json, source: str) -> Markup:
    choices = side["choices"][:5]
    scale = max((abs(one["score"]) for one in choices), default=1.0)
    scale = max(scale, 1.0)
    rows: list[tuple[str | Markup, float, str]] = [
        (_short(one["text"]), max(0.0, one["score"]) / scale, _chance(one["score"])) for one in choices
    ]
    return Markup('<section><h4>{}</h4><p class="reading" dir="auto">{}</p>{}</section>').format(
        title,
        _short(side[source], 300),
        bar_rows(rows, caption=f"{title}: what is predicted", columns=("Prediction", "Score")),
    )


def _chance(score: float) -> str:
    return percent(score) if 0 <= score <= 1 else number(score)


def teaser(request: Json, answer: Json) -> Markup:
    """The first text, tinted by integrated gradients, in one line."""
    method = answer["methods"][_opening(answer)]
    scale = _scale(method["values"])
    body, after = [], 0
    for unit, value in zip(answer["units"], method["values"], strict=True):
        if unit["source"] != "text":
            continue
        body.append(escape(request["text"][after : unit["start"]]))
        body.append(
            Markup('<span class="part {}" style="--share:{:.3f}">{}</span>').format(
                "against" if value < 0 else "for", abs(value) / scale, unit["text"]
            )
        )
        after = unit["end"]
    return Markup('<span class="parts">{}{}</span>').format(join(body), request["text"][after:])
