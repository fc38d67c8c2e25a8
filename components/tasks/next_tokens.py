"""The token after the tokens of a text, for several visitors' texts at once. Imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import torch
from transformers import DynamicCache

from components.models import decoder
from components.models.passes import Batch, Waiting

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

AT_ONCE = 32  # texts


class Following(Protocol):
    """What follows a text that grows by a token at a time. `close` it in the end."""

    def add(self, id: int) -> None:
        """Puts a token behind the text."""

    def logits(self) -> torch.Tensor:
        """Those [1, vocabulary] of the token after it."""

    def close(self) -> None: ...


def following(model: LoadedModel, cache: DynamicCache) -> Following:
    """`cache` holds the keys and values of the text so far."""
    return _Together(model, cache) if decoder.known(model.network) else _Alone(model, cache)


class _Alone:
    """In forward passes of its own."""

    def __init__(self, model: LoadedModel, cache: DynamicCache) -> None:
        self._model = model
        self._cache = cache
        self._id = 0

    def add(self, id: int) -> None:
        self._id = id

    def logits(self) -> torch.Tensor:
        row = torch.tensor([[self._id]], device=self._model.device)
        output = self._model.network(input_ids=row, past_key_values=self._cache, use_cache=True)
        logits: torch.Tensor = output.logits[:, -1]
        return logits

    def close(self) -> None:
        pass


class _Together:
    """With all texts that wait for their next token: from `add` on, whoever has the device runs it."""

    def __init__(self, model: LoadedModel, cache: DynamicCache) -> None:
        self._model = model
        layers: list[Any] = cache.layers
        self._cache = decoder.Cache([one.keys[0] for one in layers], [one.values[0] for one in layers])
        self._waiting: Waiting[torch.Tensor] | None = None

    def add(self, id: int) -> None:
        self._waiting = Waiting(decoder.step, [(self._cache, id)], [1])
        self._model.passes.enter(self._waiting)

    def logits(self) -> torch.Tensor:
        waiting = self._waiting
        if waiting is None:
            raise ValueError("no token was added")
        while not waiting.done:
            self._model.passes.run(waiting, AT_ONCE, self._step)
        self.close()
        return waiting.outputs[0][None]

    def _step(self, batch: Batch[torch.Tensor]) -> list[torch.Tensor]:
        caches, ids = zip(*[one.rows[place] for one, place in batch], strict=True)
        return list(decoder.step(self._model.network, caches, ids))

    def close(self) -> None:
        if self._waiting is not None:
            self._model.passes.leave(self._waiting)
            self._waiting = None
