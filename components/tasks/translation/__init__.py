"""A text in another language, sentence by sentence."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.models.checkpoint import Head
from components.tasks import stages
from components.tasks.explained import Explained
from components.tasks.fields import STRICT, Text
from components.tasks.languages import AUTO, LANGUAGES, USUAL, LanguageCode, LanguageOrAuto
from components.tasks.snippet import snippet
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import Checkpoint, LoadedModel

TEXTS = in_folder(__file__)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    text: Annotated[
        Text,
        Field(max_length=100_000, title="Text", description="Text to translate; line breaks are kept."),
    ]
    target: Annotated[LanguageCode, Field(title="Target", description="The language to translate to.")] = "de"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    source: Annotated[
        LanguageOrAuto,
        Field(
            title="Source",
            description=TEXTS["source"],
        ),
    ] = AUTO
    num_beams: Annotated[
        int,
        Field(ge=1, le=10, title="Beams", description="Number of hypotheses kept at each step; 1 is greedy."),
    ] = 4
    length_penalty: Annotated[
        float,
        Field(
            ge=0,
            le=2,
            title="Length penalty",
            description=TEXTS["length_penalty"],
            json_schema_extra={"step": 0.1},
        ),
    ] = 1.0
    alternatives: Annotated[
        int,
        Field(
            ge=0,
            le=5,
            title="Alternatives",
            description=TEXTS["alternatives"],
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


@dataclass(frozen=True, kw_only=True)
class _Written:
    """The inputs as the snippet needs them, which does not have `LANGUAGES`."""

    text: str
    target: str
    flores: dict[str, str]


def _reads(model: LoadedModel, inputs: Inputs, options: Options) -> Collection[str]:
    from components.tasks.translation import routes

    source = routes.route(model, options.source, inputs.target).source
    return (source,) if source in LANGUAGES else ()


def _snippet(checkpoint: Checkpoint, inputs: Inputs, options: Options) -> str:
    source = USUAL if options.source == AUTO else options.source
    flores = {code: LANGUAGES[code].flores for code in (source, inputs.target)}
    written = _Written(text=inputs.text, target=inputs.target, flores=flores)
    return snippet(Path(__file__).with_name("snippets"))(checkpoint, written, options)


TASK = stages.task(
    __file__,
    title="Translation",
    about=TEXTS["about"],
    inputs=Inputs,
    options=Options,
    result=Translation,
    stages={Head.SEQ2SEQ_LM: "model"},
    reads=_reads,
    write_snippet=_snippet,
    example={"text": "She put the bread in the oven.", "target": "de"},
    explained=Explained(
        second="the code of the language to translate to, de if empty",
        title="Language to translate to",
        help="Its code, such as de.",
        target="A word of the translation; empty for all of it.",
        has_best=False,
    ),
)
