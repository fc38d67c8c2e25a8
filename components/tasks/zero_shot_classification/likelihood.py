"""Zero-shot classification by how much likelier a text makes a label, under a causal model. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from components.models.errors import Code, TourError
from components.tasks import causal
from components.tasks.causal import Branching
from components.tasks.stages import Forward
from components.tasks.task import Output, Progress, scaled_progress
from components.tasks.zero_shot_classification import Inputs, Labels, Options
from components.tasks.zero_shot_classification.labels import different, independent, output, window_notes
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

# A text about nothing, against which each label is held where several may fit: any text at all makes words
# such as "tablet" likelier than none does (as Zhao et al. 2021, https://arxiv.org/abs/2102.09690).
NEUTRAL = TEXTS["neutral"] + " "
# Nats by which a text must make a label likelier than the neutral one does.
LEAST_GAIN = 1.0


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What the labels are compared with, by the length of the window, and after that the text in windows.
    `sizes` are the lengths of these windows, `bases` says which of the rows each is compared with."""

    rows: tuple[Branching, ...]
    sizes: tuple[int, ...]
    bases: tuple[int, ...]
    tokens: int


def preprocess(model: LoadedModel, inputs: Inputs, options: Options) -> Prepared:
    before, after = options.hypothesis_template.split("{}")
    # A space belongs to the token after it.
    lead = " " if before.endswith(" ") else ""
    opening = _ids(model, before.rstrip(" "))
    continuations = [_ids(model, f"{lead}{label}{after}") for label in different(inputs.labels)]
    bridge = _ids(model, f"\n{before.rstrip(' ')}")
    words = _ids(model, inputs.text)
    room = model.checkpoint.token_limit - 1 - len(bridge) - max(map(len, continuations))
    if room < 1:
        raise TourError(
            Code.TOO_LONG,
            TEXTS["long_template"].format(model=model.checkpoint.id, limit=model.checkpoint.token_limit),
            "labels",
        )
    start = [causal.separator(model)]
    windows = [words[place : place + room] for place in range(0, len(words), room)]
    sizes = list(dict.fromkeys(map(len, windows)))
    neutral = _ids(model, NEUTRAL)
    bases = [
        start + (neutral * (size // len(neutral) + 1))[:size] + bridge
        if independent(inputs, options)
        else start + opening
        for size in sizes
    ]
    read = [start + window + bridge for window in windows]
    return Prepared(
        rows=tuple(Branching(ids=ids, continuations=continuations) for ids in (*bases, *read)),
        sizes=tuple(map(len, windows)),
        bases=tuple(sizes.index(len(window)) for window in windows),
        tokens=len(words) + len(bridge) + max(map(len, continuations)),
    )


def forward(model: LoadedModel, rows: Sequence[Branching]) -> Forward[torch.Tensor]:
    """The log-likelihoods [labels] of each row's continuations: short rows in one pass; of long ones, the
    beginning that they share is read once."""
    if sum(map(len, rows)) <= causal.chunk_size(model):
        yield Progress("Weighing the labels", 0.0)
        return causal.log_likelihoods(model, rows)
    context = causal.Context(model)
    outputs = []
    whole, read = sum(len(row.ids) for row in rows), 0
    for row in rows:
        share = read / whole
        read += len(row.ids)
        reading = context.log_likelihoods(row.ids, row.continuations)
        outputs.append((yield from scaled_progress(reading, share, read / whole)))
    return outputs


def postprocess(
    model: LoadedModel,
    inputs: Inputs,
    options: Options,
    prepared: Prepared,
    outputs: Sequence[torch.Tensor],
) -> Output[Labels]:
    """log P(label | text, template) - log P(label | template), which takes out that some labels are likelier
    than others whatever the text (Holtzman et al. 2021, https://arxiv.org/abs/2104.08315).

    Scores are the softmax over labels. Where each stands for itself, log P(label | neutral text, template) is
    subtracted, the neutral text being as long, and scores are sigmoids: above a half if the text makes a
    label likelier by `LEAST_GAIN`. Differences of several windows are averaged.
    """
    windows = len(prepared.sizes)
    gains = [
        (own - outputs[base]) * size
        for own, base, size in zip(outputs[-windows:], prepared.bases, prepared.sizes, strict=True)
    ]
    gained = torch.stack(gains).sum(dim=0) / sum(prepared.sizes)
    alone = independent(inputs, options)
    scores = (gained - LEAST_GAIN).sigmoid() if alone else gained.softmax(dim=0)
    return output(model, inputs, options, scores, prepared.tokens, window_notes(windows))


def _ids(model: LoadedModel, text: str) -> list[int]:
    return list(model.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
