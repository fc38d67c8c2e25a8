"""Another tokenizer under a model: what its prediction becomes when the ids mean something else.

Imports torch: import this lazily.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from components.insight.families import spelled
from components.models.checkpoint import LoadedModel
from components.models.tokenizer import Tokenizer
from components.tasks.scores import SEVERAL


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the model was given and said: `labels` with scores in [0, 1], best first; `read_as` spells, in the
    model's own vocabulary, what the ids mean to it. `strange` counts ids beyond that vocabulary, which became
    unknown tokens; `left_out` tokens beyond what it reads at once.
    """

    tokens: list[str]
    read_as: list[str]
    labels: list[tuple[str, float]]
    strange: int
    left_out: int


def readings(
    model: LoadedModel, own: Tokenizer, others: Mapping[str, Tokenizer], text: str
) -> Iterator[tuple[str, Reading]]:
    """The reading of `text` by each tokenizer of `others`, under its title."""
    for title, other in others.items():
        yield title, reading(model, own, other, text)


@torch.inference_mode()
def reading(model: LoadedModel, own: Tokenizer, other: Tokenizer, text: str) -> Reading:
    """The prediction of a classifier, whose tokenizer is `own`, for the ids that `other` makes of a text."""
    limit = model.checkpoint.token_limit
    tokens = other.encode(text)
    kept = other.cut(text, limit, "right")
    embeddings: Any = model.network.get_input_embeddings()
    size: int = embeddings.num_embeddings
    unknown = own.unknown if own.unknown is not None else 0
    ids = [token.id if token.id < size else unknown for token in kept]
    output = model.network(input_ids=torch.tensor([ids], device=model.device))
    logits = output.logits[0].float().cpu()
    config = model.network.config
    several = config.problem_type == SEVERAL
    scores: Sequence[float] = (logits.sigmoid() if several else logits.softmax(dim=0)).tolist()
    names = [name for _, name in sorted((config.id2label or {}).items())]
    return Reading(
        tokens=[spelled(other, token.piece) for token in kept],
        read_as=[spelled(own, own.piece(id)) for id in ids],
        labels=sorted(zip(names, scores, strict=True), key=lambda label: -label[1]),
        strange=sum(token.id >= size for token in kept),
        left_out=len(tokens) - len(kept),
    )
