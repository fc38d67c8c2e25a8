"""Names from a label for each token. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from components.models.errors import Code, TourError
from components.tasks import network, token_labels, windows
from components.tasks.fields import shorten
from components.tasks.named_entities import Entities, Entity, Inputs, Options
from components.tasks.stages import Forward
from components.tasks.task import Output
from components.tasks.windows import Window
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

MOST_NAMED = 25  # labels that a message lists


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Windows of the text, the labels that the checkpoint knows, and the types of names asked for."""

    rows: tuple[Window, ...]
    names: Sequence[str]
    wanted: set[str]


def preprocess(model: LoadedModel, inputs: Inputs, options: Options) -> Prepared:
    names = [name for _, name in sorted((model.network.config.id2label or {}).items())]
    return Prepared(
        names=names,
        wanted=_wanted(options.labels, names),
        rows=windows.split(model, inputs.text, overlap=options.stride),
    )


def forward(model: LoadedModel, rows: Sequence[Window]) -> Forward[torch.Tensor]:
    """Logits [tokens, labels] of each window."""
    return network.forward(model, rows, "Labelling tokens", network.logits)


def postprocess(
    model: LoadedModel,
    inputs: Inputs,
    options: Options,
    prepared: Prepared,
    outputs: Sequence[torch.Tensor],
) -> Output[Entities]:
    """Of a text in several windows, each token's label comes from where it has most context."""
    rows, names = prepared.rows, prepared.names
    logits = [row[list(window.kept)] for row, window in zip(outputs, rows, strict=True)]
    tokens = [token for window in rows for token in token_labels.tokens(window)]
    found = token_labels.spans(
        inputs.text, tokens, torch.cat(logits).softmax(dim=1), names, options.aggregation_strategy
    )
    kept = [
        span
        for span in found
        if span.score >= options.minimum_score
        and (
            not prepared.wanted
            or token_labels.entity_type(span.label, names)[1].casefold() in prepared.wanted
        )
    ]
    return Output(
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
        tokens_used=windows.tokens_used(rows),
        token_limit=model.checkpoint.token_limit,
        notes=_notes(len(rows), windows.shared(rows), len(found) - len(kept)),
    )


def _wanted(given: str, names: Sequence[str]) -> set[str]:
    """The kinds of names asked for, none for all, in lower case; "B-PER" and "per" are both PER."""
    known = sorted({token_labels.entity_type(name, names)[1] for name in names} - {token_labels.OUTSIDE})
    wanted = set()
    for one in filter(None, map(str.strip, given.split(","))):
        what = token_labels.entity_type(one, names)[1].casefold()
        if what not in map(str.casefold, known):
            raise TourError(
                Code.INVALID_INPUT,
                f"{shorten(one)} is not a label of this model; its labels are {', '.join(known[:MOST_NAMED])}"
                f"{' and others' if len(known) > MOST_NAMED else ''}.",
                "labels",
            )
        wanted.add(what)
    return wanted


def _notes(windows: int, shared: int, left_out: int) -> tuple[str, ...]:
    notes = []
    if windows > 1:
        notes.append(TEXTS["windows"].format(windows=windows, shared=shared))
    if left_out:
        notes.append(TEXTS["left_out"].format(count=left_out))
    return tuple(notes)
