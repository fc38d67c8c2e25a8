"""Similarity of texts by their embeddings. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from components.models.errors import Code, TourError
from components.tasks import embeddings
from components.tasks.embeddings import Window, forward
from components.tasks.sentence_similarity import MATRIX_TEXTS, Inputs, Options, Similarity
from components.tasks.task import Output
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

__all__ = ["forward", "postprocess", "preprocess"]


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Windows of the source and, after it, of the sentences."""

    rows: tuple[Window, ...]
    texts: int


def preprocess(model: LoadedModel, inputs: Inputs, options: Options) -> Prepared:
    texts = [inputs.source, *inputs.sentences]
    if options.matrix and len(texts) > MATRIX_TEXTS:
        raise TourError(
            Code.TOO_LONG,
            TEXTS["too_many_texts"].format(limit=MATRIX_TEXTS, texts=len(texts)),
            "sentences",
        )
    return Prepared(rows=embeddings.split(model, texts), texts=len(texts))


def postprocess(
    model: LoadedModel,
    inputs: Inputs,
    options: Options,
    prepared: Prepared,
    outputs: Sequence[torch.Tensor],
) -> Output[Similarity]:
    """`tokens_used` is that of the longest text."""
    found = embeddings.pool(prepared.rows, outputs, prepared.texts)
    vectors = found.vectors
    if options.measure == "dot":
        vectors = vectors * found.lengths[:, None]
    return Output(
        result=Similarity(
            scores=_bounded(vectors[1:] @ vectors[0], options),
            matrix=_bounded(vectors @ vectors.T, options) if options.matrix else [],
        ),
        tokens_used=max(found.tokens),
        token_limit=model.checkpoint.token_limit,
        notes=embeddings.window_notes(found, model.checkpoint.token_limit),
    )


def _bounded(products: torch.Tensor, options: Options) -> Any:
    """As lists; cosines of rounded vectors can be a little beyond 1."""
    return (products.clamp(-1.0, 1.0) if options.measure == "cosine" else products).tolist()
