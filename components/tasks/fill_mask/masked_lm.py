"""Words for gaps from a model that was trained on them (Devlin et al. 2018,
https://arxiv.org/abs/1810.04805). Imports torch.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from components.models.errors import Code, TourError
from components.tasks.fill_mask import Candidates, Inputs, Options
from components.tasks.fill_mask.gaps import (
    BEAMS,
    KEPT,
    Filling,
    Scored,
    asked,
    offsets,
    output,
    text_of,
    within_reach,
)
from components.tasks.stages import Forward
from components.tasks.task import Output, Progress, scaled_progress

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel


@dataclass(frozen=True, kw_only=True)
class Masked:
    """Token ids [tokens] with the mask at the places `gaps`, and the tokens that may fill them."""

    ids: torch.Tensor
    gaps: tuple[int, ...]
    allowed: torch.Tensor


@dataclass(frozen=True, kw_only=True)
class Prepared:
    rows: tuple[Masked]
    notes: tuple[str, ...]


Filled = list[tuple[Scored, torch.Tensor]]
"""Fillings with the token ids of the whole text, likeliest first."""


def preprocess(model: LoadedModel, inputs: Inputs, options: Options) -> Prepared:
    parts, targets = asked(inputs, options)
    tokenizer = model.tokenizer
    room = model.checkpoint.token_limit - tokenizer.num_special_tokens_to_add(pair=False) - (len(parts) - 1)
    between = sum(len(offsets(model, part)) for part in parts[1:-1])
    fits = sum(len(offsets(model, part)) for part in parts) <= room
    half = room if fits else max((room - between) // 2, 0)
    parts, notes = within_reach(model, parts, left=half, between=room, right=half)
    ids = torch.tensor(tokenizer(tokenizer.mask_token.join(parts), verbose=False)["input_ids"])
    gaps = (ids == tokenizer.mask_token_id).nonzero().flatten().tolist()
    if len(gaps) != len(parts) - 1:
        raise TourError(
            Code.INVALID_INPUT,
            f"The text contains {tokenizer.mask_token}, {model.checkpoint.id}'s gap; write [MASK].",
            "text",
        )
    allowed, missing = _vocabulary(model, targets)
    if missing:
        notes += (f"Left out, as {model.checkpoint.id} has no single token for it: {', '.join(missing)}.",)
    return Prepared(rows=(Masked(ids=ids, gaps=tuple(gaps), allowed=allowed),), notes=notes)


def forward(model: LoadedModel, rows: Sequence[Masked]) -> Forward[Filled]:
    """Several gaps are filled one after the other, with those behind still open; the likeliest `BEAMS`
    beginnings go on."""
    found = []
    for place, row in enumerate(rows):
        filling = _fill(model, row)
        found.append((yield from scaled_progress(filling, place / len(rows), (place + 1) / len(rows))))
    return found


def _fill(model: LoadedModel, masked: Masked) -> Generator[Progress, None, Filled]:
    beams: Filled = [(Scored(words=(), logprob=0.0), masked.ids)]
    gaps, allowed = masked.gaps, masked.allowed
    for gap in gaps:
        rows = _mask_logprobs(model, torch.stack([row for _, row in beams]), gap)
        top = rows[:, allowed].topk(min(KEPT, len(allowed)), dim=-1)
        grown = []
        for (begun, row), logprobs, places in zip(
            beams, top.values.tolist(), top.indices.tolist(), strict=True
        ):
            for logprob, place in zip(logprobs, places, strict=True):
                token = int(allowed[place])
                word = text_of(model, [token]).strip().removeprefix("##")
                filled = row.clone()
                filled[gap] = token
                grown.append((Scored(words=(*begun.words, word), logprob=begun.logprob + logprob), filled))
        grown.sort(key=lambda one: -one[0].logprob)
        beams = grown[: KEPT if gap == gaps[-1] else BEAMS]
        yield Progress("Filling the gaps", (gaps.index(gap) + 1) / len(gaps))
    return beams


def postprocess(
    model: LoadedModel, inputs: Inputs, options: Options, prepared: Prepared, outputs: Sequence[Filled]
) -> Output[Candidates]:
    """A word is one token of the vocabulary, its score the probability that the model gives it; of several
    gaps the product."""
    (row,), (beams,) = prepared.rows, outputs
    fillings = [
        Filling(
            words=one.words,
            score=math.exp(one.logprob),
            token_ids=tuple((token,) for token in ids[list(row.gaps)].tolist()),
        )
        for one, ids in beams
    ]
    return output(model, inputs, options, fillings, len(row.ids), prepared.notes)


@torch.inference_mode()
def _mask_logprobs(model: LoadedModel, rows: torch.Tensor, gap: int) -> torch.Tensor:
    """Log-probabilities [rows, vocabulary] at a gap, on the CPU."""
    logits = model.network(input_ids=rows.to(model.device)).logits[:, gap]
    logprobs: torch.Tensor = logits.float().log_softmax(dim=-1).cpu()
    return logprobs


def _vocabulary(model: LoadedModel, targets: Sequence[str]) -> tuple[torch.Tensor, list[str]]:
    """The tokens that may fill a gap, and the targets that are none."""
    tokenizer = model.tokenizer
    if not targets:
        special = set(tokenizer.all_special_ids)
        size = model.network.config.vocab_size
        return torch.tensor([token for token in range(size) if token not in special]), []
    # The space makes it the start of a word for vocabularies that tell the two apart.
    split = {word: tokenizer(f" {word}", add_special_tokens=False)["input_ids"] for word in targets}
    known = {ids[0]: None for ids in split.values() if len(ids) == 1 and ids[0] != tokenizer.unk_token_id}
    missing = [word for word, ids in split.items() if len(ids) != 1 or ids[0] not in known]
    if not known:
        raise TourError(
            Code.INVALID_INPUT,
            f"{model.checkpoint.id} has no single token for {', '.join(missing)}; name other words.",
            "targets",
        )
    return torch.tensor(list(known)), missing
