"""What a decoder weighed while it wrote: each token against its alternatives, the beams that were pursued.
Imports torch: import this inside `run`.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from transformers import DynamicCache

from components.tasks import causal, stepwise
from components.tasks.task import Progress, map_progress
from components.tasks.text_generation import Bin, Branch, Likely, NextToken, Step, Token

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

LISTED = 100  # tokens of a next-token chart that are named; the rest is counted in bins of like logits
BINS = 64
# Tokens before a token that its text may depend on: a space in front, bytes of one character.
CONTEXT = 6


class TokenTexts:
    """Token ids as they read in their place."""

    def __init__(self, model: LoadedModel) -> None:
        self._tokenizer = model.tokenizer
        self._special = frozenset(model.tokenizer.all_special_ids)

    def text(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True))

    def after(self, ids: Sequence[int], token: int) -> str:
        """The text that `token` adds after `ids`; a special token by its name."""
        if token in self._special:
            return str(self._tokenizer.convert_ids_to_tokens(token))
        before = list(ids[-CONTEXT:])
        return self.text([*before, token])[len(self.text(before)) :] or self.text([token])

    def token(self, ids: Sequence[int], token: int, probability: float) -> Likely:
        return Likely(
            text=self.after(ids, token), probability=round(probability, 6), special=token in self._special
        )


def step(pieces: TokenTexts, before: Sequence[int], token: int, logits: torch.Tensor, most: int) -> Step:
    """What the network itself gave a token, by `logits` [vocabulary], and the `most` it gave most."""
    chances = logits.float().softmax(0)
    best = chances.topk(min(most, len(chances)))
    return Step(
        start=len(pieces.text(before)),
        **vars(pieces.token(before, token, float(chances[token]))),
        alternatives=[
            pieces.token(before, other, chance)
            for other, chance in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ],
    )


def next_token(pieces: TokenTexts, before: Sequence[int], logits: torch.Tensor) -> NextToken:
    """`logits` [vocabulary] small enough to send: the likeliest by name, the rest in bins of equal width.

    A softmax over tokens and bins, each bin as often as it counts, is that over all logits to a few
    thousandths at any temperature.
    """
    ordered = logits.float().cpu().sort(descending=True)
    named = zip(ordered.indices[:LISTED].tolist(), ordered.values[:LISTED].tolist(), strict=True)
    rest = ordered.values[LISTED:]
    rest = rest[rest.isfinite()]
    return NextToken(
        tokens=[Token(text=pieces.after(before, token), logit=round(logit, 4)) for token, logit in named],
        rest=list(_bins(rest)) if len(rest) else [],
    )


def _bins(logits: torch.Tensor) -> Iterator[Bin]:
    low, high = float(logits[-1]), float(logits[0])
    places = ((logits - low) / max(high - low, 1e-6) * BINS).long().clamp(max=BINS - 1)
    for place in places.unique().tolist():
        part = logits[places == place]
        mean = float(part.logsumexp(0)) - math.log(len(part))
        yield Bin(logit=round(mean, 4), count=len(part))


@dataclass(frozen=True)
class Beams:
    """The best continuation, and everything that was pursued as a tree."""

    ids: list[int]
    tree: list[Branch]


class _Record:
    """A logits processor that changes nothing and remembers which beginnings were pursued at each step."""

    def __init__(self, before: int) -> None:
        self._before = before
        self._last: dict[tuple[int, ...], torch.Tensor] = {}
        self.scores: dict[tuple[int, ...], float] = {(): 0.0}  # log-probability by the tokens of a beginning

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        logprobs = scores.float().log_softmax(dim=-1)
        current = {}
        for row, logprob in zip(input_ids[:, self._before :].tolist(), logprobs, strict=True):
            self.extend(row)
            current[tuple(row)] = logprob
        self._last = current
        return scores

    def extend(self, row: Sequence[int]) -> None:
        """Adds a beginning by its last token; those that never were a row are left out."""
        known, parent = tuple(row), tuple(row[:-1])
        if known not in self.scores and parent in self.scores and parent in self._last:
            self.scores[known] = self.scores[parent] + float(self._last[parent][row[-1]])


@torch.inference_mode()
def beam_search(
    model: LoadedModel, prompt: Sequence[int], new_tokens: int, beams: int, repetition_penalty: float
) -> Generator[Progress, None, Beams]:
    """The library's beam search; yields after each token. Nothing is drawn by chance."""
    record = _Record(len(prompt))
    ids = torch.tensor([list(prompt)], device=model.device)
    work = stepwise.generate(
        model.network,
        record,
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=new_tokens,
        num_beams=beams,
        do_sample=False,
        repetition_penalty=repetition_penalty,
        pad_token_id=model.tokenizer.pad_token_id or 0,
    )
    stage = f"Writing, {beams} beginnings at once"
    whole = yield from map_progress(work, lambda written: Progress(stage, written / new_tokens))
    best: list[int] = whole[0, len(prompt) :].tolist()
    return Beams(best, tree(TokenTexts(model), record, best))


@torch.inference_mode()
def weigh(
    model: LoadedModel, prompt: Sequence[int], begun: Sequence[int], ids: Sequence[int], most: int
) -> Generator[Progress, None, tuple[list[Step], NextToken]]:
    """The steps to `ids`, written after `prompt` whose last tokens are `begun`, read once more as a whole."""
    pieces, cache = TokenTexts(model), DynamicCache(config=model.network.config)
    if prompt[:-1]:
        yield from causal.prefill(model, prompt[:-1], cache)
    row = torch.tensor([[prompt[-1], *ids[:-1]]], device=model.device)
    logits = model.network(input_ids=row, past_key_values=cache, use_cache=True).logits[0]
    steps = [
        step(pieces, [*begun, *ids[:place]], token, logits[place], most) for place, token in enumerate(ids)
    ]
    return steps, next_token(pieces, begun, logits[0])


def tree(pieces: TokenTexts, record: _Record, best: Sequence[int]) -> list[Branch]:
    """Beginnings as branches: where all that follow share tokens, they are one."""
    for end in range(1, len(best) + 1):
        record.extend(best[:end])
    children: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
    for one in record.scores:
        if one:
            children.setdefault(one[:-1], []).append(one)
    found: list[Branch] = []

    def grow(start: tuple[int, ...], parent: int) -> None:
        end = start
        while len(children.get(end, ())) == 1:
            (end,) = children[end]
        begun = len(pieces.text(start[:-1]))
        found.append(
            Branch(
                parent=parent,
                text=pieces.text(end)[begun:] or pieces.after(start[:-1], end[-1]),
                log_probability=record.scores[end],
                tokens=len(end) - len(start) + 1,
                best=tuple(best[: len(end)]) == end,
            )
        )
        index = len(found) - 1
        for child in sorted(children.get(end, ()), key=lambda one: -record.scores[one]):
            grow(child, index)

    for first in sorted(children.get((), ()), key=lambda one: -record.scores[one]):
        grow(first, -1)
    return found
