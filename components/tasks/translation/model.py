"""Translation, sentence by sentence. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.tasks.counted import counted
from components.tasks.sentences import Span, shouted
from components.tasks.stages import Forward, Partial
from components.tasks.task import Output, scaled_progress
from components.tasks.translation import (
    Alternative,
    Inputs,
    Options,
    Segment,
    Translation,
    beam_search,
    routes,
)
from components.tasks.translation.beam_search import Rendered, Sentence
from components.tasks.translation.omissions import omissions
from components.tasks.translation.routes import Route
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

# Sentences after which a long text is shown as far as it has come.
STRETCH = 64
# Missing names that a note lists.
NAMED = 30
# Of the embedded translator, on sentences like those that it was trained on and on others: below this
# score most are wrong, above it most are right.
UNSURE = 0.5


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Sentences, where they stand in the text, and how many had to be parted."""

    rows: tuple[Sentence, ...]
    spans: tuple[Span, ...]
    longer: int
    route: Route


def preprocess(model: LoadedModel, inputs: Inputs, options: Options) -> Prepared:
    route = routes.route(model, options.source, inputs.target)
    search = beam_search.Search(
        beams=max(options.num_beams, options.alternatives),
        length_penalty=options.length_penalty,
        best=max(options.alternatives, 1),
    )
    cut = beam_search.cut(model, inputs.text, route)
    return Prepared(
        rows=beam_search.rows(model, inputs.text, cut.spans, route, search),
        spans=cut.spans,
        longer=cut.longer,
        route=route,
    )


def forward(model: LoadedModel, rows: Sequence[Sentence]) -> Forward[Rendered]:
    """The translations of each sentence; those of a long text are shown after each stretch."""
    done: list[Rendered] = []
    for start in range(0, len(rows), STRETCH):
        if done:
            yield Partial(tuple(done))
        stretch = rows[start : start + STRETCH]
        share, whole = start / len(rows), (start + len(stretch)) / len(rows)
        done += yield from scaled_progress(beam_search.translate(model, stretch), share, whole)
    return done


def postprocess(
    model: LoadedModel, inputs: Inputs, options: Options, prepared: Prepared, outputs: Sequence[Rendered]
) -> Output[Translation]:
    """The text with its sentences translated, as far as there are outputs; the rest stands as it was."""
    languages = (prepared.route.source, inputs.target)
    segments = [_segment(row.text, one, languages) for row, one in zip(prepared.rows, outputs, strict=False)]
    notes = list(_cut_notes(model, prepared))
    whole = len(outputs) == len(prepared.rows)
    if whole:
        notes += _notes(segments, sum(one.cut for one in outputs))
    return Output(
        result=_assemble(inputs.text, prepared.spans, segments, outputs, options.alternatives),
        tokens_used=sum(row.tokens for row in prepared.rows),
        token_limit=model.checkpoint.token_limit,
        notes=tuple(notes),
        share=1.0 if whole else len(outputs) / len(prepared.rows),
    )


def _segment(source: str, rendered: Rendered, languages: tuple[str, str]) -> Segment:
    if not rendered.texts:
        return Segment(
            source=source, translation=source, score=0.0, unsure=True, missing=[], translated=False
        )
    missing = omissions(source, rendered.texts[0], languages)
    return Segment(
        source=source,
        translation=rendered.texts[0],
        score=rendered.scores[0],
        unsure=bool(missing) or rendered.scores[0] < UNSURE,
        missing=missing,
        translated=True,
    )


def _notes(segments: Sequence[Segment], unended: int) -> Iterator[str]:
    everything = counted(len(segments), "sentence")
    if unended:
        yield TEXTS["cut_off"].format(sentences=counted(unended, "sentence"))
    if failed := sum(not segment.translated for segment in segments):
        yield TEXTS["untranslated"].format(count=failed, sentences=everything)
    lacking = [segment for segment in segments if segment.missing]
    if lacking:
        words = list(dict.fromkeys(word for segment in lacking for word in segment.missing))
        more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
        yield TEXTS["lacking"].format(
            count=len(lacking), sentences=everything, words=", ".join(words[:NAMED]), more=more
        )
    if unsure := sum(segment.translated and segment.score < UNSURE for segment in segments):
        yield (
            f"Low confidence in {unsure:,} of {everything}, so check them: scores below {UNSURE * 100:.0f} %."
        )


def _cut_notes(model: LoadedModel, prepared: Prepared) -> Iterator[str]:
    if not prepared.rows:
        yield "There is no word in the text: it stays as it is."
    if loud := sum(shouted(row.text) for row in prepared.rows):
        yield TEXTS["lower_case"].format(sentences=counted(loud, "sentence"))
    if prepared.longer:
        yield (
            f"Translated in parts, as longer than {model.checkpoint.token_limit} tokens: "
            f"{counted(prepared.longer, 'sentence')}."
        )


def _assemble(
    text: str,
    spans: Sequence[Span],
    segments: list[Segment],
    done: Sequence[Rendered],
    alternatives: int,
) -> Translation:
    """The text with the sentences that are done replaced."""
    translation, position = [], 0
    for span, segment in zip(spans, segments, strict=False):
        translation += [text[position : span.start], segment.translation]
        position = span.end
    return Translation(
        translation="".join([*translation, text[position:]]),
        segments=list(segments),
        alternatives=[
            Alternative(segment=index, translation=translation, score=score)
            for index, rendered in enumerate(done)
            for translation, score in list(zip(rendered.texts, rendered.scores, strict=True))[:alternatives]
        ],
    )
