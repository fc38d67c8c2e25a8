"""What the ways of zero-shot classification share. Imports torch."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from components.tasks.counted import counted
from components.tasks.legibility import visible
from components.tasks.task import Output
from components.tasks.zero_shot_classification import Inputs, Label, Labels, Options
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)


def different(labels: list[str]) -> list[str]:
    return list(dict.fromkeys(label.strip() for label in labels))


def independent(inputs: Inputs, options: Options) -> bool:
    """Whether each label's score stands for itself: a single one has nothing to share a probability with."""
    return options.multi_label or len(different(inputs.labels)) == 1


def output(
    model: LoadedModel,
    inputs: Inputs,
    options: Options,
    scores: torch.Tensor,
    tokens: int,
    notes: Sequence[str],
) -> Output[Labels]:
    """`scores` [labels] are in the order of the different labels."""
    labels = different(inputs.labels)
    repeated = len(inputs.labels) - len(labels)
    scored = [Label(label=label, score=score) for label, score in zip(labels, scores.tolist(), strict=True)]
    alone = ["There is only one label: its score says whether it fits."]
    return Output(
        result=Labels(labels=sorted(scored, key=lambda label: -label.score)),
        tokens_used=tokens,
        token_limit=model.checkpoint.token_limit,
        notes=(
            *notes,
            *([f"Left out: {counted(repeated, 'repeated label')}."] if repeated else []),
            *(alone * (len(labels) == 1 and not options.multi_label)),
            *_unseen(labels),
        ),
    )


def window_notes(windows: int) -> tuple[str, ...]:
    if windows == 1:
        return ()
    return (TEXTS["windows"].format(windows=windows),)


def _unseen(labels: list[str]) -> list[str]:
    """A note on labels that a reader cannot tell apart."""
    shown = {"".join(one for one in label if one.isspace() or visible(one)) for label in labels}
    shown = {" ".join(unicodedata.normalize("NFKC", label).split()) for label in shown}
    if "" in shown:
        return [TEXTS["invisible_label"]]
    if len(shown) == len(labels):
        return []
    return [TEXTS["look_alikes"]]
