"""What a network reads and a score of its output, for any method of attribution. Imports torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from transformers import DynamicCache

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Score = Callable[[Any], torch.Tensor]
"""From a network's output to one number for each row."""


@dataclass(frozen=True, eq=False, kw_only=True)
class AttributionInput:
    """A row that a network reads, as far as it can be taken away.

    `ids` [tokens] are what is embedded; `given` [1, ...] is everything else that the network is called
    with. `owners` says for each token which unit it belongs to, None for one that stays, as a special one.
    `filler` is the token that stands in where one is taken away,
    None for the mean of the whole vocabulary's embeddings. `reads` are the places in the network's last
    layer (of its decoder, if it has one) that the prediction is read from; None if its head looks them up:
    at the first, or at the last of one that reads from left to right. Such a network can read the first
    `once` tokens, which nothing takes away, a single time: what it keeps of them is the same in every row.
    """

    network: PreTrainedModel
    ids: torch.Tensor
    given: Mapping[str, torch.Tensor]
    owners: Sequence[int | None]
    filler: int | None
    reads: Sequence[int] | None
    options: Mapping[str, Any]
    once: int = 0

    @cached_property
    def embedded(self) -> torch.Tensor:
        """What the network makes of its tokens before anything else, [tokens, width]."""
        return self._embed(self.ids)

    @cached_property
    def empty(self) -> torch.Tensor:
        """As `embedded`, with the filler in place of every token that has an owner."""
        return self.without(set(self.units))

    @property
    def units(self) -> list[int]:
        return sorted({owner for owner in self.owners if owner is not None})

    @cached_property
    def _nothing(self) -> torch.Tensor:
        """The filler's embedding, [1, width] or [width]."""
        return self._mean() if self.filler is None else self._embed(self.ids.new_tensor([self.filler]))

    def without(self, units: set[int]) -> torch.Tensor:
        """As `embedded`, with the filler in place of the tokens of some units."""
        hidden = torch.tensor([owner in units for owner in self.owners], device=self.ids.device)
        return torch.where(hidden[:, None], self._nothing, self.embedded)

    def on_the_way(self, places: Sequence[float]) -> torch.Tensor:
        """Rows [places, tokens, width] on the straight way from `empty`, at 0, to `embedded`, at 1."""
        shares = self.embedded.new_tensor(places)[:, None, None]
        return self.empty + shares * (self.embedded - self.empty)

    def read(self, rows: torch.Tensor, **more: Any) -> Any:
        """The network's output for rows of embeddings [rows, tokens, width]. That of a network which has read
        some tokens before is of the others, unless `more` than the prediction is asked for, as attention.
        """
        given = {name: tensor.expand(len(rows), *tensor.shape[1:]) for name, tensor in self.given.items()}
        options = {**self.options, **more}
        if self.once and not more:
            kept = deepcopy(self._kept)
            kept.batch_repeat_interleave(len(rows))
            rows = rows[:, self.once :]
            options |= {"past_key_values": kept, "use_cache": True}
        return self.network(inputs_embeds=rows, **given, **options)

    @cached_property
    def _kept(self) -> DynamicCache:
        """Keys and values of the tokens that are read once."""
        kept = DynamicCache(config=self.network.config)
        with torch.no_grad():
            self.network(
                inputs_embeds=self.embedded[None, : self.once],
                past_key_values=kept,
                use_cache=True,
                logits_to_keep=1,
            )
        return kept

    def per_unit(self, tokens: torch.Tensor, units: int) -> torch.Tensor:
        """The sum [units] of each unit's tokens' values [tokens], in double precision on the CPU."""
        sums = torch.zeros(units, dtype=torch.float64)
        own = [place for place, owner in enumerate(self.owners) if owner is not None]
        owners = torch.tensor([self.owners[place] for place in own], dtype=torch.long)
        return sums.index_add_(0, owners, tokens.detach().double().cpu()[own])

    @torch.no_grad()
    def _mean(self) -> torch.Tensor:
        module: Any = self.network.get_input_embeddings()
        ids = torch.arange(module.weight.shape[0], device=self.ids.device)
        sums = [self._embed(some).float().sum(dim=0) for some in ids.split(8192)]
        return (torch.stack(sums).sum(dim=0) / len(ids)).to(self.embedded.dtype)

    @torch.no_grad()
    def _embed(self, ids: torch.Tensor) -> torch.Tensor:
        module: Any = self.network.get_input_embeddings()
        vectors: torch.Tensor = module(ids)
        # Some encoders scale what they embed themselves, and nothing where it comes embedded (Marian).
        if self.network.config.is_encoder_decoder and not hasattr(module, "embed_scale"):
            encoder: Any = self.network.get_encoder()
            vectors = vectors * getattr(encoder, "embed_scale", 1.0)
        return vectors


@dataclass(frozen=True, eq=False, kw_only=True)
class Term:
    """A score of what a network reads, and how it counts: 1 for what is explained, -1 for what it is compared
    with."""

    input: AttributionInput
    score: Score
    weight: float = 1.0

    def now(self) -> float:
        """The term's share of the score as things are."""
        with torch.no_grad():
            return self.weight * float(self.score(self.input.read(self.input.embedded[None]))[0])
