"""Language models on plain text: windows to train on, how well a text is predicted, and what is written.

Imports torch.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from transformers import DataCollatorForLanguageModeling

from components.training.run import Collate, Example

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedTokenizerBase

# Masked in training: as BERT was (Devlin et al. 2018, https://arxiv.org/abs/1810.04805).
MASKED = 0.15
_ROWS = 16  # windows in one forward pass, each with another token masked


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How well a text is predicted: `perplexity` over the `counted` of its `tokens`.

    `bits` are those that each character of the text takes, which unlike perplexity can be compared
    between networks whose tokens differ; None for masked models, which do not predict a text as a whole.
    """

    perplexity: float
    bits: float | None
    counted: int
    tokens: int


def token_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Of the text alone: nothing is put before it or after it, and nothing is cut."""
    found: Any = tokenizer(text, add_special_tokens=False, verbose=False)
    return list(found["input_ids"])


def windows(ids: Sequence[int], length: int) -> list[list[int]]:
    """Stretches of `length` that cover `ids`; the last one overlaps the one before, so all are as long."""
    if len(ids) <= length:
        return [list(ids)]
    starts = [*range(0, len(ids) - length, length), len(ids) - length]
    return [list(ids[start : start + length]) for start in starts]


def examples(tokenizer: PreTrainedTokenizerBase, text: str, length: int, *, masked: bool) -> list[Example]:
    """Windows of a text to train on; a masked model's have its special tokens around them."""
    before, after = _around(tokenizer) if masked else ([], [])
    inner = windows(token_ids(tokenizer, text), length - len(before) - len(after))
    rows = [[*before, *window, *after] for window in inner]
    return [{"input_ids": row, "length": len(row)} for row in rows]


def collate(tokenizer: PreTrainedTokenizerBase, *, masked: bool) -> Collate:
    """Batches of `examples`, labelled with their own tokens, or with those that are masked.

    What is masked follows from the rows of a batch and their order, which each epoch has another: so a run
    that goes on where it was paused masks what it would have.
    """

    def hide(rows: Sequence[Example]) -> dict[str, Any]:
        inputs = [{"input_ids": row["input_ids"]} for row in rows]
        seed = zlib.crc32(str(inputs).encode())
        return dict(DataCollatorForLanguageModeling(tokenizer, mlm_probability=MASKED, seed=seed)(inputs))

    def batch(rows: Sequence[Example]) -> dict[str, Any]:
        ids = torch.tensor([row["input_ids"] for row in rows])
        return {"input_ids": ids, "labels": ids.clone(), "attention_mask": torch.ones_like(ids)}

    return hide if masked else batch


def fit(network: nn.Module, ids: Sequence[int], context: int, characters: int) -> Fit:
    """Perplexity of a causal model: exp of the mean negative log-likelihood per token.

    A window of `context` tokens slides over `ids` by half its length, so that each token is predicted once,
    from at least half a window where so much stands before it; the first is given
    (https://huggingface.co/docs/transformers/perplexity).
    """
    likelihoods = log_likelihoods(network, ids, context)
    total = -float(likelihoods.double().sum())
    return Fit(
        perplexity=_perplexity(likelihoods),
        bits=total / math.log(2) / characters,
        counted=len(likelihoods),
        tokens=len(ids),
    )


def log_likelihoods(network: nn.Module, ids: Sequence[int], context: int) -> Tensor:
    """Natural logarithms [len(ids) - 1] of the probability of each token but the first."""
    row = torch.tensor([list(ids)], device=_device(network))
    found = []
    read = 1
    with _judging(network):
        while read < len(ids):
            start = max(0, read - context // 2) if read > 1 else 0
            end = min(start + context, len(ids))
            logits = network(input_ids=row[:, start:end]).logits[0, read - start - 1 : -1]
            logprobs = logits.float().log_softmax(dim=-1)
            found.append(logprobs.gather(1, row[0, read:end, None])[:, 0].cpu())
            read = end
    return torch.cat(found) if found else torch.empty(0)


def pseudo_fit(
    network: nn.Module, tokenizer: PreTrainedTokenizerBase, ids: Sequence[int], context: int, most: int
) -> Fit:
    """Pseudo-perplexity of a masked model: as perplexity, each token predicted from those on both sides of it
    in a window of `context` tokens (Salazar et al. 2020, https://arxiv.org/abs/1910.14659).

    It takes a forward pass for each token; so of a longer text `most` tokens count, evenly spread over it.
    """
    before, after = _around(tokenizer)
    inner = context - len(before) - len(after)
    count = min(most, len(ids))
    places = [index * len(ids) // count for index in range(count)]
    rows, at = [], []
    for place in places:
        start = place // inner * inner
        window = [*before, *ids[start : start + inner], *after]
        rows.append(window)
        at.append(len(before) + place - start)
    likelihoods = _masked(network, int(tokenizer.mask_token_id or 0), rows, at)
    return Fit(perplexity=_perplexity(likelihoods), bits=None, counted=count, tokens=len(ids))


def _masked(network: nn.Module, mask: int, rows: list[list[int]], at: list[int]) -> Tensor:
    """Log-likelihoods of the token at one place of each row, hidden there; rows of one length go together."""
    found = torch.empty(len(rows))
    lengths = {len(row) for row in rows}
    with _judging(network):
        for length in lengths:
            alike = [index for index, row in enumerate(rows) if len(row) == length]
            for first in range(0, len(alike), _ROWS):
                picked = alike[first : first + _ROWS]
                ids = torch.tensor([rows[index] for index in picked], device=_device(network))
                line = torch.arange(len(picked), device=ids.device)
                place = torch.tensor([at[index] for index in picked], device=ids.device)
                hidden = ids.index_put((line, place), torch.tensor(mask, device=ids.device))
                logits = network(input_ids=hidden, attention_mask=torch.ones_like(ids)).logits[line, place]
                logprobs = logits.float().log_softmax(dim=-1)
                found[picked] = logprobs.gather(1, ids[line, place, None])[:, 0].cpu()
    return found


def written(
    network: Any,
    tokenizer: PreTrainedTokenizerBase,
    prompt: str,
    *,
    new_tokens: int,
    context: int,
    temperature: float = 0.7,
    seed: int = 0,
) -> str:
    """What a causal model goes on with after a prompt, drawn with a seed of its own."""
    ids = token_ids(tokenizer, prompt)[-max(1, context - new_tokens) :]
    row = torch.tensor([ids], device=_device(network))
    with _judging(network), torch.random.fork_rng():
        torch.manual_seed(seed)
        made = network.generate(
            input_ids=row,
            attention_mask=torch.ones_like(row),
            max_new_tokens=new_tokens,
            do_sample=True,
            temperature=temperature,
            top_k=0,
            top_p=0.9,
            pad_token_id=tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0,
        )
    return str(tokenizer.decode(made[0, len(ids) :], skip_special_tokens=True))


def filled(
    network: nn.Module, tokenizer: PreTrainedTokenizerBase, prompt: str, most: int
) -> list[tuple[str, float]]:
    """What a masked model puts after a prompt: the likeliest tokens and their probabilities."""
    before, after = _around(tokenizer)
    ids = [*before, *token_ids(tokenizer, prompt), int(tokenizer.mask_token_id or 0), *after]
    row = torch.tensor([ids], device=_device(network))
    with _judging(network):
        logits = network(input_ids=row, attention_mask=torch.ones_like(row)).logits
    shares, picked = logits[0, len(ids) - len(after) - 1].float().softmax(dim=-1).topk(most)
    return [
        (str(tokenizer.decode([int(id)])).strip(), float(share))
        for share, id in zip(shares, picked, strict=True)
    ]


def _perplexity(likelihoods: Tensor) -> float:
    return float((-likelihoods.double().mean()).exp())


def _around(tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[int]]:
    """The special tokens that a text begins and ends with."""
    ids: Any = tokenizer("")["input_ids"]
    half = (len(ids) + 1) // 2
    return list(ids[:half]), list(ids[half:])


def _device(network: nn.Module) -> torch.device:
    return next(network.parameters()).device


@contextmanager
def _judging(network: nn.Module) -> Iterator[None]:
    """Without dropout and gradients; afterwards the network is as it was."""
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        network.train(training)
