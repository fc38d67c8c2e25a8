"""What neurons of a feed-forward network promote: the tokens whose logits grow with them. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from components.insight import lens
from components.insight.anatomy.tensor import known

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

PROMOTED = 6  # tokens per neuron


@dataclass(frozen=True, kw_only=True)
class Promoted:
    """The tokens that each neuron raises most, as its column of the down projection points to their rows of
    the unembedding (Geva et al. 2022, https://arxiv.org/abs/2203.14680). Empty for models without one."""

    tokens: list[list[str]]


@torch.inference_mode()
def promoted(model: LoadedModel, projection: str, neurons: Sequence[int]) -> Promoted:
    """`projection` is a down projection by its name. Raises `TourError`."""
    known(model, projection)
    head: Any = model.network.get_output_embeddings()
    module: Any = model.network.get_submodule(projection)
    weight = getattr(module, "weight", None)
    if head is None or weight is None or weight.dim() != 2:
        return Promoted(tokens=[])
    width = head.weight.shape[1]
    # nn.Linear keeps [out, in], GPT-2's Conv1D [in, out].
    columns = weight if hasattr(module, "in_features") or weight.shape[1] != width else weight.T
    if columns.shape[0] != width or any(not 0 <= one < columns.shape[1] for one in neurons):
        return Promoted(tokens=[])
    logits = head.weight @ columns[:, list(neurons)].to(head.weight.dtype)
    best = logits.topk(PROMOTED, dim=0).indices.T.tolist()
    return Promoted(tokens=[lens.shown(model.tokenizer, row) for row in best])
