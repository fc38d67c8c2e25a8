"""A text in another language, sentence by sentence."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.models.checkpoint import Head
from components.tasks.fields import STRICT, Text
from components.tasks.languages import AUTO, LANGUAGES, USUAL, LanguageCode, LanguageOrAuto
from components.tasks.omissions import omissions
from components.tasks.sentences import shouted
from components.tasks.snippet import snippet
from components.tasks.task import Output, Progress, Task, part

if TYPE_CHECKING:
    from components.models.checkpoint import Checkpoint, LoadedModel
    from components.tasks.translating import Cut, Piece, Rendered

# Sentences after which a long text is shown as far as it has come.
STRETCH = 64
# Missing names that a note lists.
NAMED = 30
# Of the embedded translator, on sentences like those that it was trained on and on others: below this
# score most are wrong, above it most are right.
UNSURE = 0.5


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    text: Annotated[
        Text,
        Field(max_length=100_000, title="Text", description="What to translate; its lines are kept."),
    ]
    target: Annotated[LanguageCode, Field(title="Target", description="The language to translate to.")] = "de"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    source: Annotated[
        LanguageOrAuto,
        Field(
            title="Source",
            description="The text's language; auto: the model's own, English for a model of many languages.",
        ),
    ] = AUTO
    num_beams: Annotated[
        int,
        Field(ge=1, le=10, title="Beams", description="Beginnings that are pursued at once; 1 is greedy."),
    ] = 4
    length_penalty: Annotated[
        float,
        Field(
            ge=0,
            le=2,
            title="Length penalty",
            description="With several beams: higher values prefer longer translations.",
            json_schema_extra={"step": 0.1},
        ),
    ] = 1.0
    alternatives: Annotated[
        int,
        Field(
            ge=0, le=5, title="Alternatives", description="Likeliest translations to list of each sentence."
        ),
    ] = 0


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A sentence, or part of one that is too long for the model, and what became of it.

    `score` is the geometric mean of the probabilities of the translation's tokens. `missing` are the names
    and numbers of the source that the translation lacks. `unsure` if it lacks some, or its score is low. If
    not `translated`, the model found nothing, or only repetitions: the source stands there, scored 0.
    """

    source: str
    translation: str
    score: float
    unsure: bool
    missing: list[str]
    translated: bool


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """One of the likeliest translations of a segment, by its index, with its score."""

    segment: int
    translation: str
    score: float


@dataclass(frozen=True, kw_only=True)
class Translation:
    """`translation` is the text with its segments translated: what stands between them stays."""

    translation: str
    segments: list[Segment]
    alternatives: list[Alternative]


def run(model: LoadedModel, inputs: Inputs, options: Options) -> Iterator[Progress | Output[Translation]]:
    """Yields the text so far after each stretch of a long one; the rest stands as it was."""
    from components.tasks import translating, translators

    text = inputs.text
    route = translators.route(model, options.source, inputs.target)
    cut = translating.cut(model, text, route)
    notes = [*_cut_notes(model, text, cut)]
    search = translating.Search(
        beams=max(options.num_beams, options.alternatives),
        length_penalty=options.length_penalty,
        best=max(options.alternatives, 1),
    )
    done: list[translating.Rendered] = []
    segments: list[Segment] = []

    def output(share: float) -> Output[Translation]:
        return Output(
            result=_assemble(text, cut.pieces, segments, done, options.alternatives),
            tokens_used=sum(piece.tokens for piece in cut.pieces),
            token_limit=model.checkpoint.token_limit,
            notes=tuple(notes),
            share=share,
        )

    for start in range(0, len(cut.pieces), STRETCH):
        stretch = cut.pieces[start : start + STRETCH]
        share = len(done) / len(cut.pieces)
        if done:
            yield output(share)
        rendered = yield from part(
            translating.translate(model, text, stretch, route, search),
            share,
            share + len(stretch) / len(cut.pieces),
        )
        done += rendered
        segments += [
            _segment(piece.span.of(text), one, (route.source, inputs.target))
            for piece, one in zip(stretch, rendered, strict=True)
        ]
    notes += _notes(segments, sum(one.cut for one in done))
    yield output(1.0)


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
    if unended:
        yield f"The translation of {unended} sentence(s) was cut off: it was far longer than the original."
    if failed := sum(not segment.translated for segment in segments):
        yield (
            f"{failed:,} of {len(segments):,} sentence(s) could not be translated and stay as they are: the "
            "model wrote nothing, or only repeated itself."
        )
    lacking = [segment for segment in segments if segment.missing]
    if lacking:
        words = list(dict.fromkeys(word for segment in lacking for word in segment.missing))
        more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
        yield (
            f"The translation of {len(lacking):,} of {len(segments):,} sentence(s) lacks names or numbers of "
            f"the original, and may well be wrong: {', '.join(words[:NAMED])}{more}."
        )
    if unsure := sum(segment.translated and segment.score < UNSURE for segment in segments):
        yield (
            f"The model is unsure of {unsure:,} of {len(segments):,} sentence(s), which may well be wrong: "
            f"their scores are below {UNSURE:.0%}."
        )


def _cut_notes(model: LoadedModel, text: str, cut: Cut) -> Iterator[str]:
    if not cut.pieces:
        yield "There is no word in the text: it stays as it is."
    if loud := sum(shouted(piece.span.of(text)) for piece in cut.pieces):
        yield f"{loud:,} sentence(s) in capitals: read as if in small letters, which the model knows better."
    if cut.longer:
        yield (
            f"{cut.longer} sentence(s) have more than {model.checkpoint.token_limit} tokens: translated in "
            "parts."
        )


def _assemble(
    text: str,
    pieces: Sequence[Piece],
    segments: list[Segment],
    done: Sequence[Rendered],
    alternatives: int,
) -> Translation:
    """The text with the pieces that are done replaced."""
    translation, position = [], 0
    for piece, segment in zip(pieces, segments, strict=False):
        translation += [text[position : piece.span.start], segment.translation]
        position = piece.span.end
    return Translation(
        translation="".join([*translation, text[position:]]),
        segments=list(segments),
        alternatives=[
            Alternative(segment=index, translation=translation, score=score)
            for index, rendered in enumerate(done)
            for translation, score in list(zip(rendered.texts, rendered.scores, strict=True))[:alternatives]
        ],
    )


@dataclass(frozen=True, kw_only=True)
class _Written:
    """The inputs as the snippet needs them, which does not have `LANGUAGES`."""

    text: str
    target: str
    flores: dict[str, str]


def _reads(model: LoadedModel, inputs: Inputs, options: Options) -> Collection[str]:
    from components.tasks import translators

    source = translators.route(model, options.source, inputs.target).source
    return (source,) if source in LANGUAGES else ()


def _snippet(checkpoint: Checkpoint, inputs: Inputs, options: Options) -> str:
    source = USUAL if options.source == AUTO else options.source
    flores = {code: LANGUAGES[code].flores for code in (source, inputs.target)}
    written = _Written(text=inputs.text, target=inputs.target, flores=flores)
    return snippet("translation")(checkpoint, written, options)


TASK = Task(
    name="translation",
    title="Translation",
    about=(
        "Translates a text sentence by sentence and keeps its lines. Which languages are possible depends on "
        "the model."
    ),
    inputs=Inputs,
    options=Options,
    result=Translation,
    heads=frozenset({Head.SEQ2SEQ_LM}),
    run=run,
    reads=_reads,
    snippet=_snippet,
    example={"text": "She put the bread in the oven.", "target": "de"},
)
