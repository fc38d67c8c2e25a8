"""A translation, as something to explain. Imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.models.errors import Code, TourError
from components.tasks.explained import LONGEST, TEXT, Asked, Choice
from components.tasks.explanation import (
    Predicting,
    Units,
    offsets_of,
)
from components.tasks.fields import shorten
from components.tasks.languages import AUTO, LANGUAGES
from components.tasks.translation import beam_search, routes
from components.tasks.written import (
    Rendered,
    explain_written,
    source_row,
)
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)


def explain(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    language = asked.text_pair.strip().lower() or "de"
    if language not in LANGUAGES:
        raise TourError(
            Code.INVALID_INPUT, f"{shorten(language)} is no language code; write one such as de.", "text_pair"
        )
    route = routes.route(model, AUTO, language)
    offsets = offsets_of(model, asked.text)
    text = asked.text
    notes: tuple[str, ...] = ()
    if len(offsets) > LONGEST:
        text = text[: offsets[LONGEST - 1][1]]
        notes += (TEXTS["long_text"].format(read=LONGEST, tokens=len(offsets)),)
    cut = beam_search.cut(model, text, route)
    if not cut.spans:
        raise TourError(Code.INVALID_INPUT, "There is no word in the text. Write some text.", "text")
    # Circles are explained too: what the model writes is the question here, not whether it is any good.
    search = beam_search.Search(beams=4, length_penalty=1.0, best=1, guarded=False)
    sentences = beam_search.rows(model, text, cut.spans, route, search)
    found = yield from beam_search.translate(model, sentences)
    beam_search.tokenizer_for(model, route)
    rows = []
    places: list[tuple[int, int] | None] = []
    for span in cut.spans:
        row, offsets_in = source_row(model, route.prefix, span.of(text))
        rows.append(row)
        places += [pair and (pair[0] + span.start, pair[1] + span.start) for pair in offsets_in]
    owners = units.owners(text, TEXT, places)
    rendered: list[Rendered] = []
    for row, one in zip(rows, found, strict=True):
        size = len(row["input_ids"])
        own, owners = owners[:size], owners[size:]
        forced = [] if route.first_token is None else [route.first_token]
        rendered.append((row, own, one.texts[0], forced, not one.cut))
    if len(cut.spans) > 1:
        notes += (TEXTS["sentence_by_sentence"],)
    return explain_written(
        model,
        asked,
        rendered,
        units,
        notes,
        tokens=sum(one.tokens for one in sentences),
        choices=[Choice(text=one.texts[0], score=one.scores[0]) for one in found],
    )
