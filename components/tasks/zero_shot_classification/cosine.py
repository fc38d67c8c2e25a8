"""Zero-shot classification by how close a text's embedding is to each label's. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from components.tasks import embeddings
from components.tasks.embeddings import Window, forward
from components.tasks.task import Output
from components.tasks.zero_shot_classification import Inputs, Labels, Options
from components.tasks.zero_shot_classification.labels import different, independent, output

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

__all__ = ["forward", "postprocess", "preprocess"]

# Of cosines: chosen on thirty short texts so that the softmax is neither flat nor certain, and so
# that a label that fits and one that does not come out on either side of a half.
COSINE_SCALE = 20.0
COSINE_THRESHOLD = 0.1


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Windows of the text and, after it, of the hypotheses."""

    rows: tuple[Window, ...]
    texts: int


def preprocess(model: LoadedModel, inputs: Inputs, options: Options) -> Prepared:
    hypotheses = [options.hypothesis_template.replace("{}", label) for label in different(inputs.labels)]
    return Prepared(rows=embeddings.split(model, [inputs.text, *hypotheses]), texts=1 + len(hypotheses))


def postprocess(
    model: LoadedModel,
    inputs: Inputs,
    options: Options,
    prepared: Prepared,
    outputs: Sequence[torch.Tensor],
) -> Output[Labels]:
    """Cosines of the text with the hypotheses, scaled by `COSINE_SCALE`: their softmax, or each label's
    sigmoid, a half at `COSINE_THRESHOLD`."""
    found = embeddings.pool(prepared.rows, outputs, prepared.texts)
    surplus = COSINE_SCALE * (found.vectors[1:] @ found.vectors[0] - COSINE_THRESHOLD)
    scores = surplus.sigmoid() if independent(inputs, options) else surplus.softmax(dim=0)
    notes = embeddings.window_notes(found, model.checkpoint.token_limit)
    return output(model, inputs, options, scores, max(found.tokens), notes)
