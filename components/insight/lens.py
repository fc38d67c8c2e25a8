"""The states between a network's layers, and the logit lens (nostalgebraist 2020). Imports torch.

Layer by layer a network adds to one vector per token. The lens reads such a vector with the network's own
final norm and output embedding, as if no layer followed. Neither is looked up by name: the norm is the module
that turned what the last layer gave into what the head got, and the head is the network's own code, run with
another layer's state in place of the last. Where that does not repeat the network's own output, there is no
lens rather than a wrong one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import normalize
from transformers.modeling_outputs import BaseModelOutput
from transformers.utils.generic import ModelOutput

from components.insight.instrumented import instrumented_copy
from components.insight.reading import Reading
from components.insight.weights import Predicts
from components.models.checkpoint import Head
from components.tasks.task import Progress
from components.texts import beside

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel

    from components.models.checkpoint import LoadedModel

TEXTS = beside(__file__)

# Positions whose logits are in memory at once: with a vocabulary of 150,000 some 80 MB.
AT_ONCE = 128
# Distributions that are further apart (total variation, the mean over positions) were not made by the same
# head; rounding to half precision moves them by less.
SAME = 0.05

_PREDICTS: Mapping[Head, Predicts] = {
    Head.CAUSAL_LM: "next",
    Head.SEQ2SEQ_LM: "next",
    Head.MASKED_LM: "same",
}


@dataclass(frozen=True, kw_only=True)
class Seen:
    """`states` [tokens, width], one per layer and the embeddings first, as the layers gave them. `norm` makes
    of the last what the head got. `head` gives logits [1, tokens, vocabulary] of states after the norm, and
    None where there is none or it cannot be told apart; `logits` are the network's own."""

    states: Sequence[Tensor]
    norm: Callable[[Tensor], Tensor]
    head: Callable[[Tensor], Tensor] | None
    logits: Tensor | None


@dataclass(frozen=True, kw_only=True)
class Guesses:
    """[layers + 1][tokens][top_k], best first; `missing` says why there are none."""

    predicts: Predicts
    tokens: list[list[list[str]]]
    probabilities: list[list[list[float]]]
    missing: str = ""


@dataclass(frozen=True, kw_only=True)
class Moved:
    """As in `layers.Layers`."""

    similarity: list[list[float]]
    kept: list[list[float]]
    norms: list[list[float]]
    median_norms: list[float]


# Words


def shown(tokenizer: Any, ids: Sequence[int]) -> list[str]:
    """Each token's text, with the space that it begins with; what has no text by its name."""
    special = set(tokenizer.all_special_ids)
    return [_shown(tokenizer, id, special) for id in ids]


def _shown(tokenizer: Any, id: int, special: set[int]) -> str:
    name = tokenizer.convert_ids_to_tokens(id)
    if name is None:  # networks may have more rows than their tokenizers have tokens
        return f"#{id}"
    if id in special:
        return str(name)
    text = str(tokenizer.decode([id]))
    if str(name).startswith("▁") and not text.startswith(" "):
        text = f" {text}"
    return text or str(name)


# Looking


@torch.inference_mode()
def look(model: LoadedModel, read: Reading) -> Seen:
    """One forward pass of the network's copy, with what its layers gave."""
    network = instrumented_copy(model.network)
    decodes = model.checkpoint.head is Head.SEQ2SEQ_LM
    both = network.config.is_encoder_decoder
    stack: Any = network.get_decoder() if decodes else network.get_encoder() if both else network.base_model
    watch = _Watch(stack)
    output = network(**read.inputs, output_hidden_states=True, return_dict=True, use_cache=False)
    watch.end()
    names = ("decoder_hidden_states",) if decodes else ("encoder_hidden_states", "hidden_states")
    given: Sequence[Tensor] = next(output[name] for name in names if output.get(name) is not None)
    norm = watch.final_norm()
    if norm is None:
        return Seen(states=[one[0] for one in given], norm=_as_it_is, head=None, logits=None)
    last, apply = norm
    head = None
    if model.checkpoint.head in _PREDICTS:
        inputs = dict(read.inputs)
        if decodes:
            inputs.pop("input_ids")
            inputs["encoder_outputs"] = BaseModelOutput(output.encoder_last_hidden_state)  # type: ignore[assignment]
        head = partial(_logits, network, stack, watch.output, inputs)
    return Seen(
        states=[one[0] for one in (*given[:-1], last)],
        norm=apply,
        head=head,
        logits=output.logits if head else None,
    )


class _Watch:
    """Notes what a stack of layers gives, and what its parts outside the layers make of it."""

    def __init__(self, stack: nn.Module) -> None:
        self.output: Any = None
        self._layers: list[Tensor] = []
        self._norms: list[tuple[Tensor, Tensor, nn.Module]] = []  # what went in, what came out
        self._hooks = [stack.register_forward_hook(self._end)]
        for name, module in stack.named_modules():
            path = name.split(".")
            numbered = [part for part in path if part.isdigit()]
            if numbered == path[-1:]:
                self._hooks.append(module.register_forward_hook(self._layer))
            elif not numbered and "norm" in type(module).__name__.lower():
                self._hooks.append(module.register_forward_hook(self._norm))

    def end(self) -> None:
        for hook in self._hooks:
            hook.remove()

    def final_norm(self) -> tuple[Tensor, Callable[[Tensor], Tensor]] | None:
        """What the last layer gave [1, tokens, width] and what was made of it; None if it cannot be told."""
        final = self.output.get("last_hidden_state") if isinstance(self.output, ModelOutput) else None
        if final is None:
            return None
        if any(_same(final, given) for given in self._layers):
            return final, _as_it_is
        for before, after, norm in self._norms:
            if _same(final, after) and any(_same(before, given) for given in self._layers):
                return before, norm
        return None

    def _layer(self, module: nn.Module, given: Any, output: Any) -> None:
        first = output[0] if isinstance(output, tuple) else output
        if isinstance(first, torch.Tensor):
            self._layers.append(first)

    def _norm(self, module: nn.Module, given: Any, output: Any) -> None:
        if given and isinstance(output, torch.Tensor):
            self._norms.append((given[0], output, module))

    def _end(self, module: nn.Module, given: Any, output: Any) -> None:
        self.output = output


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.equal(one, other)


def _as_it_is(state: Tensor) -> Tensor:
    return state


def _logits(
    network: PreTrainedModel, stack: nn.Module, output: ModelOutput, inputs: Mapping[str, Any], state: Tensor
) -> Tensor:
    """What the network makes of `state` [1, tokens, width] in place of what its layers gave."""
    stub = type(output)(**{**output, "last_hidden_state": state})
    stack.__dict__["forward"] = lambda *_, **__: stub  # the network is a copy: nobody else's
    logits: Tensor = network(**inputs, return_dict=True, use_cache=False).logits
    return logits


# The lens


@torch.inference_mode()
def lens(model: LoadedModel, read: Reading, seen: Seen, top_k: int) -> Generator[Progress, None, Guesses]:
    """Yields after each layer, from the last one down."""
    predicts = _PREDICTS.get(model.checkpoint.head, "nothing")
    if predicts == "nothing":
        return _none(TEXTS["no-head"])
    if seen.head is None or seen.logits is None:
        return _none(TEXTS["unsupported"].format(model=model.checkpoint.id))
    tokens: list[list[list[str]]] = []
    probabilities: list[list[list[float]]] = []
    for state in reversed(seen.states):
        chances, ids = [], []
        for start in range(0, len(state), AT_ONCE):
            stop = start + AT_ONCE
            made = seen.head(seen.norm(state[None, start:stop]))[0].float().softmax(dim=-1)
            own = seen.logits[0, start:stop]
            if not tokens and (made.shape != own.shape or _differ(made, own.float().softmax(dim=-1))):
                return _none(TEXTS["different"].format(model=model.checkpoint.id))
            best = made.topk(min(top_k, made.shape[-1]), dim=-1)
            chances += best.values.cpu().double().tolist()
            ids += best.indices.tolist()
        tokens.append([shown(model.tokenizer, row) for row in ids])
        probabilities.append(_rounded(chances))
        yield Progress("Reading layers as words", len(tokens) / len(seen.states))
    return Guesses(predicts=predicts, tokens=tokens[::-1], probabilities=probabilities[::-1])


def _differ(made: Tensor, own: Tensor) -> bool:
    return bool((made - own).abs().sum(dim=-1).mean() / 2 > SAME)


def _none(why: str) -> Guesses:
    return Guesses(predicts="nothing", tokens=[], probabilities=[], missing=why)


def _rounded(rows: Sequence[Sequence[float]]) -> list[list[float]]:
    return [[round(value, 6) for value in row] for row in rows]


# How far tokens move


@torch.inference_mode()
def moved(states: Sequence[Tensor]) -> Moved:
    """Of states [tokens, width] of each layer. A state of length 0 is at a right angle to every other."""
    stack = torch.stack([state.float() for state in states])  # [layers + 1, tokens, width]
    norms = stack.norm(dim=-1)
    units = normalize(stack, dim=-1)
    similarity = torch.einsum("ltw,mtw->lm", units, units) / stack.shape[1]
    similarity = ((similarity + similarity.T) / 2).clamp(-1, 1).fill_diagonal_(1)
    kept = (units[1:] * units[:-1]).sum(dim=-1).clamp(-1, 1)
    return Moved(
        similarity=_rounded(similarity.cpu().double().tolist()),
        kept=_rounded(kept.cpu().double().tolist()),
        norms=_rounded(norms.cpu().double().tolist()),
        median_norms=[round(value, 6) for value in norms.quantile(0.5, dim=-1).cpu().double().tolist()],
    )
