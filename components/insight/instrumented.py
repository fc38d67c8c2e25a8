"""A network's copy that shows what happens inside it, while the network itself goes on serving others."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def instrumented_copy(network: PreTrainedModel) -> PreTrainedModel:
    """A copy of the modules on the same tensors, whose attention is eager: it tells its weights.

    Fused attention (SDPA) tells none, and switching the network that is shared would change it under those
    who are using it. Takes some 20 ms for MiniLM; hooks set on it are nobody else's.
    """
    shared = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    copy: PreTrainedModel = deepcopy(network, shared)
    copy.set_attn_implementation("eager")
    return copy
