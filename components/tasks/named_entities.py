"""The names in a text: of people, organisations, places, or what else a checkpoint was trained to mark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.models.checkpoint import Head
from components.models.errors import Code, TourError
from components.tasks.fields import STRICT, OptionalText, Text, shorten
from components.tasks.snippet import snippet
from components.tasks.task import Output, Progress, Task

if TYPE_CHECKING:
    import torch

    from components.models.checkpoint import LoadedModel

MOST_NAMED = 25  # labels that a message lists


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    text: Annotated[
        Text, Field(max_length=200_000, title="Text", description="The text whose names are marked.")
    ]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    aggregation_strategy: Annotated[
        Literal["first", "average", "max", "simple", "none"],
        Field(
            title="Aggregation",
            description=(
                "How tokens become names. first, average, max: a word gets the label of its first token, of "
                "their average, of the surest one; simple: words may be split; none: each token by itself."
            ),
        ),
    ] = "first"
    stride: Annotated[
        int,
        Field(
            ge=0,
            le=256,
            title="Stride",
            description="A long text is read in windows that share so many tokens, at most half a window.",
        ),
    ] = 64
    labels: Annotated[
        OptionalText,
        Field(
            max_length=500,
            title="Labels wanted",
            description="Only these, separated by commas, such as PER, LOC; empty for all.",
        ),
    ] = ""
    minimum_score: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            title="Minimum score",
            description="Names with a lower score are left out.",
            json_schema_extra={"step": 0.01},
        ),
    ] = 0.0


@dataclass(frozen=True, kw_only=True)
class Entity:
    """`text` stands at [start, end) of the input, in code points (as Python counts); `score` in [0, 1]."""

    text: str
    label: str
    score: float
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Entities:
    """In the order of the text."""

    entities: list[Entity]


def run(model: LoadedModel, inputs: Inputs, options: Options) -> Iterator[Progress | Output[Entities]]:
    """Of a text in several windows, each token's label comes from where it has most context."""
    import torch

    from components.tasks import token_labels, windows

    names = [name for _, name in sorted((model.network.config.id2label or {}).items())]
    wanted = _wanted(options.labels, names)
    parts = windows.split(model, inputs.text, overlap=options.stride)
    logits: list[torch.Tensor] = []
    for batch, tensors in windows.batches(model, parts):
        with torch.inference_mode():
            rows = model.network(**tensors).logits.float().cpu()
        logits.extend(row[list(window.kept)] for row, window in zip(rows, batch, strict=True))
        yield Progress("Labelling tokens", len(logits) / len(parts))
    tokens = [
        token_labels.Token(*offset, window.words[place])
        for window in parts
        for place in window.kept
        if (offset := window.offsets[place]) is not None
    ]
    found = token_labels.spans(
        inputs.text, tokens, torch.cat(logits).softmax(dim=1), names, options.aggregation_strategy
    )
    kept = [
        span
        for span in found
        if span.score >= options.minimum_score
        and (not wanted or token_labels.kind(span.label, names)[1].casefold() in wanted)
    ]
    yield Output(
        result=Entities(
            entities=[
                Entity(
                    text=inputs.text[span.start : span.end],
                    label=span.label,
                    score=span.score,
                    start=span.start,
                    end=span.end,
                )
                for span in kept
            ]
        ),
        tokens_used=windows.tokens_used(parts),
        token_limit=model.checkpoint.token_limit,
        notes=_notes(len(parts), windows.shared(parts), len(found) - len(kept)),
    )


def _wanted(given: str, names: Sequence[str]) -> set[str]:
    """The kinds of names asked for, none for all, in lower case; "B-PER" and "per" are both PER."""
    from components.tasks import token_labels

    known = sorted({token_labels.kind(name, names)[1] for name in names} - {token_labels.OUTSIDE})
    wanted = set()
    for one in filter(None, map(str.strip, given.split(","))):
        what = token_labels.kind(one, names)[1].casefold()
        if what not in map(str.casefold, known):
            raise TourError(
                Code.INVALID_INPUT,
                f"{shorten(one)} is no label of this model; it knows {', '.join(known[:MOST_NAMED])}"
                f"{' and others' if len(known) > MOST_NAMED else ''}.",
                "labels",
            )
        wanted.add(what)
    return wanted


def _notes(windows: int, shared: int, left_out: int) -> tuple[str, ...]:
    notes = []
    if windows > 1:
        notes.append(
            f"The text is longer than the model reads at once: read in {windows:,} windows, each sharing "
            f"{shared:,} tokens with the next."
        )
    if left_out:
        notes.append(f"{left_out:,} left out: another label than those wanted, or a score below the minimum.")
    return tuple(notes)


TASK = Task(
    name="named_entities",
    title="Named entities",
    about="Marks the names in a text: of people, organisations, places, or what a checkpoint was trained on.",
    inputs=Inputs,
    options=Options,
    result=Entities,
    heads=frozenset({Head.TOKEN_CLASSIFICATION}),
    run=run,
    snippet=snippet("named_entities"),
    example={"text": "In 1906 Marie Curie began to teach at the Sorbonne in Paris."},
)
