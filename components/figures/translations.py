"""A translation, and which sentence became which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components import texts
from components.figures.markup import Markup, bar_rows, join, percent

TEXTS = texts.beside(__file__)

Json = Mapping[str, Any]

# A longer text is shown side by side in part; all of it stands above, and in the JSON.
MOST_ROWS = 100


def translation(request: Json, answer: Json) -> Markup:
    """The text, sentences side by side if there are several, and alternatives if they were asked for."""
    segments, alternatives = answer["segments"], answer["alternatives"]
    parts = [
        Markup('<p class="completion" dir="auto">{}</p>').format(with_doubts(answer["translation"], segments))
    ]
    if any(one["unsure"] for one in segments):
        parts.append(
            Markup('<p class="reading">{}</p>').format(
                TEXTS.line("unsure", underlined=Markup('<span class="doubtful">underlined</span>'))
            )
        )
    if alternatives:
        parts += [_alternatives(answer, index) for index in range(min(len(segments), MOST_ROWS))]
    elif len(segments) > 1:
        parts.append(_side_by_side(segments))
    return join(parts)


def with_doubts(text: str, segments: Sequence[Json]) -> Markup:
    """The translation with the sentences that the model is unsure of marked, found one after the other."""
    marked, place = Markup(), 0
    for one in segments:
        start = text.find(one["translation"], place) if one["translation"] else -1
        if start < 0:
            continue
        end = start + len(one["translation"])
        if one["unsure"]:
            marked += text[place:start] + Markup(
                '<span class="doubtful" title="The model is unsure of this.">{text}<span '
                'class="visually-hidden"> (may be wrong)'
                "</span></span>"
            ).format(text=text[start:end])
        else:
            marked += text[place:end]
        place = end
    return marked + text[place:]


def _side_by_side(segments: list[Json]) -> Markup:
    rows = join(
        Markup('<tr{}><td dir="auto">{}</td><td dir="auto">{}</td><td>{}{}</td></tr>').format(
            Markup(' class="unsure"') if one["unsure"] else "",
            one["source"],
            one["translation"],
            percent(one["score"]),
            " (unsure)" if one["unsure"] else "",
        )
        for one in segments[:MOST_ROWS]
    )
    rest = len(segments) - MOST_ROWS
    more = Markup("<p>{:,} more are in the JSON below.</p>").format(rest) if rest > 0 else ""
    return Markup(
        '<details class="sentences"{open}><summary>Sentence by sentence ({count:,})</summary>'
        '<div class="grid-box"><table class="grid wrapping"><thead><tr><th scope="col">Source</th>'
        '<th scope="col">Translation</th><th scope="col">Score</th></tr></thead><tbody>{rows}</tbody></table>'
        "</div>{more}</details>"
    ).format(
        open=Markup(" open") if any(one["unsure"] for one in segments) else "",
        count=len(segments),
        rows=rows,
        more=more,
    )


def _alternatives(answer: Json, index: int) -> Markup:
    own = [one for one in answer["alternatives"] if one["segment"] == index]
    return Markup('<p class="reading" dir="auto">{}</p>').format(
        answer["segments"][index]["source"]
    ) + bar_rows(
        ((one["translation"], one["score"], percent(one["score"])) for one in own),
        caption="Translations of this sentence, as ranked by the search",
        columns=("Translation", "Score"),
    )
