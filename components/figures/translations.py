"""A translation, and which sentence became which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components import templates, texts
from components.figures.markup import Markup, bar_rows, join, percent

TEXTS = texts.beside(__file__)
FILL = templates.beside(__file__, percent=percent)

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
    return FILL(
        "side_by_side",
        segments=segments[:MOST_ROWS],
        count=len(segments),
        open=any(one["unsure"] for one in segments),
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
