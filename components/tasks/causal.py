"""What a causal language model is asked for here: text, and how likely text is. Imports torch: import this
inside `run`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from transformers import (
    DynamicCache,
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from components.models.errors import Code, TourError
from components.tasks.next_tokens import following
from components.tasks.task import Progress

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

T = TypeVar("T")

SEPARATOR = "<|endoftext|>"

# Tokens in one forward pass: about half a second of SmolLM2-135M on two cores.
CHUNK = {"cpu": 192}
CHUNK_ACCELERATED = 2048


def chunk_size(model: LoadedModel) -> int:
    return CHUNK.get(model.device.type, CHUNK_ACCELERATED)


@torch.inference_mode()
def prefill(
    model: LoadedModel, ids: Sequence[int], cache: DynamicCache
) -> Generator[Progress, None, torch.Tensor]:
    """Reads `ids` into `cache`, in chunks, and yields after each but the last.

    Returns the logits [1, vocabulary] for the token that follows.
    """
    row = torch.tensor([list(ids)], device=model.device)
    chunks = row.split(chunk_size(model), dim=1)
    read = 0
    for chunk in chunks[:-1]:
        model.network(input_ids=chunk, past_key_values=cache, use_cache=True, logits_to_keep=1)
        read += chunk.shape[1]
        yield Progress("Reading the text", read / row.shape[1])
    output = model.network(input_ids=chunks[-1], past_key_values=cache, use_cache=True, logits_to_keep=1)
    logits: torch.Tensor = output.logits[:, -1]
    return logits


class Context:
    """Asks a model about many continuations of one text: the text is read once and kept.

    `shared` and `continuations` are token ids; `shared` has at least one. Continuations are packed
    into one row, each seeing what is shared and itself alone (a block mask), so that nothing is
    padded and the shared keys and values are not copied.
    """

    def __init__(self, model: LoadedModel) -> None:
        self._model = model
        self._cache = DynamicCache(config=model.network.config)
        self._read: list[int] = []
        self._after: torch.Tensor | None = None  # logits for the token after what was read

    def next_tokens(
        self, shared: Sequence[int], continuations: Sequence[Sequence[int]]
    ) -> Generator[Progress, None, torch.Tensor]:
        """Log-probabilities [continuations, vocabulary] of the token after each continuation."""
        rows = yield from self._ask(shared, continuations, lambda _, logprobs: logprobs[-1])
        return torch.stack(rows)

    def log_likelihoods(
        self, shared: Sequence[int], continuations: Sequence[Sequence[int]]
    ) -> Generator[Progress, None, torch.Tensor]:
        """Log-probability [continuations] of each after `shared`; in nats, fp32, on the CPU."""

        def likelihood(index: int, logprobs: torch.Tensor) -> torch.Tensor:
            tokens = torch.tensor(list(continuations[index]), device=logprobs.device)
            return logprobs.gather(1, tokens[:, None]).sum()

        rows = yield from self._ask(shared, [ids[:-1] for ids in continuations], likelihood)
        return torch.stack(rows).cpu()

    @torch.inference_mode()
    def _ask(
        self,
        shared: Sequence[int],
        continuations: Sequence[Sequence[int]],
        pick: Callable[[int, torch.Tensor], T],
    ) -> Generator[Progress, None, list[T]]:
        """`pick(index, logprobs)` for each; logprobs [1 + its tokens, vocabulary] begin after `shared`."""
        first = yield from self._share(shared)
        picked: list[T] = []
        for pack in self._packs(continuations):
            logits = torch.cat([first, self._branch(pack)]) if any(pack) else first
            logprobs = logits.float().log_softmax(dim=-1)
            start = 1
            for ids in pack:
                picked.append(
                    pick(len(picked), torch.cat([logprobs[:1], logprobs[start : start + len(ids)]]))
                )
                start += len(ids)
            yield Progress("Weighing what fits", len(picked) / len(continuations))
        return picked

    def _share(self, ids: Sequence[int]) -> Generator[Progress, None, torch.Tensor]:
        """Reads what is new in `ids`; logits [1, vocabulary] for the token after them."""
        if self._after is None or list(ids) != self._read:
            kept = min(len(shared_start([self._read, ids])), len(ids) - 1)
            if surplus := len(self._read) - kept:
                self._cache.crop(-surplus)
            self._read = list(ids)
            self._after = yield from prefill(self._model, ids[kept:], self._cache)
        return self._after

    def _branch(self, own: Sequence[Sequence[int]]) -> torch.Tensor:
        """Logits [tokens, vocabulary] of several continuations of what was read, which stays as it was."""
        device, before = self._model.device, len(self._read)
        owner = torch.tensor([index for index, ids in enumerate(own) for _ in ids], device=device)
        place = torch.tensor([place for ids in own for place in range(len(ids))], device=device)
        itself = (owner[:, None] == owner) & (place[:, None] >= place)
        mask = torch.cat([itself.new_ones(len(owner), before), itself], dim=1)
        output = self._model.network(
            input_ids=torch.tensor([[token for ids in own for token in ids]], device=device),
            position_ids=(place + before)[None],
            attention_mask=mask[None, None],
            past_key_values=self._cache,
            use_cache=True,
        )
        self._cache.crop(-len(owner))
        logits: torch.Tensor = output.logits[0]
        return logits

    def _packs(self, continuations: Sequence[Sequence[int]]) -> Iterator[list[Sequence[int]]]:
        """As many at a time as one forward pass should take."""
        pack: list[Sequence[int]] = []
        for ids in continuations:
            if pack and sum(map(len, pack)) + len(ids) > chunk_size(self._model):
                yield pack
                pack = []
            pack.append(ids)
        yield pack


@dataclass(frozen=True, kw_only=True)
class Branching:
    """A text and what may follow it, all as token ids; the text has at least one."""

    ids: Sequence[int]
    continuations: Sequence[Sequence[int]]

    def __len__(self) -> int:
        """The tokens that are read: nothing is asked of what follows a continuation."""
        return len(self.ids) + sum(len(own) - 1 for own in self.continuations)


@torch.inference_mode()
def log_likelihoods(model: LoadedModel, texts: Sequence[Branching]) -> list[torch.Tensor]:
    """Those [continuations] after each text, in nats, fp32, on the CPU; all in one forward pass.

    Each token sees those before it in its text and in its own continuation (a block mask). For a few short
    texts: passes of few tokens take as long as it takes to read the weights.
    """
    ids: list[int] = []
    seen: list[tuple[int, int, int]] = []  # text, continuation or -1, place
    asked: list[tuple[list[int], Sequence[int]]] = []  # where the logits of a continuation's tokens are
    for number, text in enumerate(texts):
        ids += text.ids
        seen += [(number, -1, place) for place in range(len(text.ids))]
        last = len(ids) - 1
        for own in text.continuations:
            asked.append(([last, *range(len(ids), len(ids) + len(own) - 1)], own))
            ids += own[:-1]
            seen += [(number, len(asked), len(text.ids) + place) for place in range(len(own) - 1)]
    owner, branch, place = torch.tensor(seen, device=model.device).unbind(dim=1)
    mask = (
        (owner[:, None] == owner) & ((branch == -1) | (branch[:, None] == branch)) & (place[:, None] >= place)
    )
    kept = sorted({at for places, _ in asked for at in places})
    logits = model.network(
        input_ids=torch.tensor([ids], device=model.device),
        position_ids=place[None],
        attention_mask=mask[None, None],
        use_cache=False,
        logits_to_keep=torch.tensor(kept, device=model.device),
    ).logits[0]
    logprobs = logits.float().log_softmax(dim=-1).cpu()
    row = {at: number for number, at in enumerate(kept)}
    found = [logprobs[[row[at] for at in places], list(own)].sum() for places, own in asked]
    return list(torch.stack(found).split([len(text.continuations) for text in texts]))


def shared_start(sequences: Sequence[Sequence[int]]) -> list[int]:
    """The tokens that all sequences begin with."""
    start = []
    for tokens in zip(*sequences, strict=False):
        if len(set(tokens)) > 1:
            break
        start.append(tokens[0])
    return start


def separator(model: LoadedModel) -> int:
    """The token that stood between documents in pretraining, after which a text starts as it does on paper:
    `<|endoftext|>` where the vocabulary has it, else what the tokenizer puts first or last.
    """
    tokenizer = model.tokenizer
    special: Any = tokenizer.convert_tokens_to_ids(SEPARATOR)  # of an unknown token None or unk
    known = special is not None and tokenizer.convert_ids_to_tokens(special) == SEPARATOR
    for token in (special if known else None, tokenizer.bos_token_id, tokenizer.eos_token_id):
        if token is not None:
            return int(token)
    raise TourError(
        Code.UNSUITABLE_MODEL, f"{model.checkpoint.id} has no token to start a text with.", "model"
    )


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How the next token is drawn; `temperature` 0 takes the likeliest. Meanings as in `generate()`."""

    temperature: float
    top_k: int
    top_p: float
    min_p: float
    typical_p: float
    repetition_penalty: float
    seed: int

    def processors(self) -> LogitsProcessorList:
        """The library's own, in the order in which `generate()` applies them."""
        processors = LogitsProcessorList()
        if self.repetition_penalty != 1.0:
            processors.append(RepetitionPenaltyLogitsProcessor(self.repetition_penalty))
        if self.temperature not in (0.0, 1.0):
            processors.append(TemperatureLogitsWarper(self.temperature))
        if self.temperature and self.top_k:
            processors.append(TopKLogitsWarper(self.top_k))
        if self.temperature and self.top_p < 1.0:
            processors.append(TopPLogitsWarper(self.top_p))
        if self.temperature and self.min_p:
            processors.append(MinPLogitsWarper(self.min_p))
        if self.temperature and self.typical_p < 1.0:
            processors.append(TypicalLogitsWarper(self.typical_p))
        return processors


@dataclass(frozen=True)
class Drawn:
    """A token, and the network's own logits [vocabulary] for its place."""

    id: int
    logits: torch.Tensor


@torch.inference_mode()
def generate(
    model: LoadedModel, prompt: Sequence[int], new_tokens: int, sampling: Sampling, stop: frozenset[int]
) -> Iterator[Progress | Drawn]:
    """Tokens one by one, at most `new_tokens`; ends after the first in `stop`, which is yielded too.

    The same tokens as `model.generate()` gives after `torch.manual_seed(seed)`: the random numbers are the
    request's own, so that requests which take turns do not disturb each other.
    """
    processors = sampling.processors()
    dice = torch.Generator(device=model.device).manual_seed(sampling.seed)
    ids = torch.LongTensor([list(prompt)]).to(model.device)
    cache = DynamicCache(config=model.network.config)
    logits = yield from prefill(model, prompt, cache)
    with closing(following(model, cache)) as after:
        for remaining in reversed(range(new_tokens)):
            scores = processors(ids, logits.to(copy=True, dtype=torch.float32))  # type: ignore[arg-type]
            if sampling.temperature:
                token = torch.multinomial(scores.softmax(dim=-1), num_samples=1, generator=dice)
            else:
                token = scores.argmax(dim=-1, keepdim=True)
            last = not remaining or int(token) in stop
            if not last:
                after.add(int(token))
            yield Drawn(int(token), logits[0])
            if last:
                return
            ids = torch.cat([ids, token], dim=1)
            logits = after.logits()


def chat_ids(model: LoadedModel, messages: Sequence[Mapping[str, str]]) -> list[int]:
    """Token ids of messages in the checkpoint's chat template, up to where the answer begins.

    A message that spells a control token, such as the one that ends a turn, stays text.
    """
    tokenizer: Any = model.tokenizer
    ids = tokenizer.apply_chat_template(
        list(messages),
        add_generation_prompt=True,
        sanitize_control_tokens=True,
        return_dict=False,
        tokenizer_kwargs={"verbose": False},
        enable_thinking=False,  # Qwen3 thinks aloud for longer than a visitor waits; others ignore this
    )
    return list(ids)


def text_ids(model: LoadedModel, text: str, *, special: bool) -> list[int]:
    """Token ids of a text in which control tokens are text too; `special` adds those around an input."""
    encoded = model.tokenizer(text, add_special_tokens=special, split_special_tokens=True, verbose=False)
    return list(encoded["input_ids"])


def stop_ids(model: LoadedModel) -> frozenset[int]:
    """The tokens that end a text, as `generate()` knows them."""
    end = model.network.generation_config.eos_token_id
    return frozenset() if end is None else frozenset([end] if isinstance(end, int) else end)
