"""One forward pass of a network with everything that its modules take and give, and what is added up.
Imports torch.

A checkpoint is opened in three steps, inside a task's `run(model, inputs, options)`, which the runner drives:

    read = yield from reading.read(model, text, text_pair)  # `LONGEST` = 512 tokens at most, a note if cut
    network = instrumented_copy(model.network)  # the same tensors; hooks on it are nobody else's
    done = forward(network, read.inputs)

`blocks(done)` (blocks.py) then says what the network consists of, by the names of its modules. It tells
tensors apart by being the same object, which holds as long as a `Pass` holds them all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from components.insight.attention_extraction import watch

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel

_NOTHING = torch.empty(0)
_ADDITIONS = frozenset({"add", "__add__", "__radd__", "add_", "__iadd__"})
_SCALINGS = frozenset({"mul", "__mul__", "__rmul__"})
_PRODUCTS = frozenset({"matmul", "__matmul__", "scaled_dot_product_attention"})
_HELD = 2  # an attention has two products, a sum two terms


@dataclass(frozen=True, kw_only=True, eq=False)
class Call:
    """One run of a module. `given` and `output` are the first tensor that it took and gave, an empty one if
    there was none; `begin` and `end` count all runs' beginnings and ends, so that a run inside another lies
    within. `tensors` is how many it gave. `crosses`: it was given states of the other stack. `heads`: how
    many heads' results, side by side, a matrix was given, and how many numbers each has, else (0, 0)."""

    name: str  # as in `named_modules`
    module: nn.Module
    given: Tensor
    output: Tensor
    begin: int
    end: int
    tensors: int
    crosses: bool
    heads: tuple[int, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class Attended:
    """What one attention was made of: queries [heads, rows, size], keys and values [key heads, columns,
    size], what is added to the scores [heads or 1, rows or 1, columns] before the softmax, and their
    scale."""

    name: str  # of the module that computes it
    queries: Tensor
    keys: Tensor
    values: Tensor
    added: Tensor | None
    scale: float
    time: int  # as `Call.begin`

    def scores(self) -> Tensor:
        """[heads, rows, columns], with what is added to them."""
        keys = self.keys.repeat_interleave(len(self.queries) // len(self.keys), dim=0)
        scores = self.queries.float() @ keys.float().transpose(-1, -2) * self.scale
        return scores if self.added is None else scores + self.added[..., : scores.shape[-1]].float()

    def weights(self) -> Tensor:
        """[heads, rows, columns]; rows sum to 1."""
        return self.scores().softmax(dim=-1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Pass:
    """`calls` in the order in which they ended. `sums` are those of two states [1, tokens, width], by the
    identity of what they gave; of one that was multiplied by a number before they have what it was before."""

    network: PreTrainedModel
    calls: list[Call] = field(default_factory=list)
    attended: list[Attended] = field(default_factory=list)
    sums: dict[int, tuple[Tensor, Tensor, Tensor]] = field(default_factory=dict)  # the last is what it gave
    output: Any = None  # as the network gives it


@torch.inference_mode()
def forward(network: PreTrainedModel, inputs: Mapping[str, Tensor], *, attention: bool = True) -> Pass:
    """Runs an instrumented copy once. Without `attention` nothing is told of what attention was made of, and
    the library's interface to it is not asked for."""
    done = Pass(network=network)
    names = {id(module): name for name, module in network.named_modules()}
    clock = count()
    begun: dict[int, list[tuple[int, tuple[int, int]]]] = {}
    watching = _Watching(done)

    def begins(module: nn.Module, args: Any, kwargs: Any) -> None:
        heads = watching.heads(first_tensor(args)) if is_matrix(module) else (0, 0)
        begun.setdefault(id(module), []).append((next(clock), heads))

    def ends(module: nn.Module, args: Any, kwargs: Mapping[str, Any], output: Any) -> None:
        others = ("key_value_states", "encoder_hidden_states")
        begin, heads = begun[id(module)].pop()
        done.calls.append(
            Call(
                name=names[id(module)],
                module=module,
                given=first_tensor((*args, *kwargs.values())),
                output=first_tensor(output),
                begin=begin,
                end=next(clock),
                tensors=len(output) if isinstance(output, tuple) else 1,
                crosses=any(kwargs.get(name) is not None for name in others),
                heads=heads,
            )
        )

    def attends(
        module: Any, query: Tensor, key: Tensor, value: Tensor, added: Tensor | None, scale: float
    ) -> None:
        done.attended.append(
            Attended(
                name=names[id(module)],
                queries=query[0],
                keys=key[0],
                values=value[0],
                added=None if added is None else added[0],
                scale=float(scale),
                time=next(clock),
            )
        )

    if attention:
        watch(network, attends)
    handles: list[Any] = []
    try:
        for module in network.modules():
            handles.append(module.register_forward_pre_hook(begins, with_kwargs=True))
            handles.append(module.register_forward_hook(ends, with_kwargs=True))
        with watching:
            output = network(**inputs, return_dict=True, use_cache=False)
    finally:
        for handle in handles:
            handle.remove()
    return replace(done, output=output)


class _Watching(TorchFunctionMode):
    """Notes what is added up, and holds the last products and scaled states for it."""

    def __init__(self, done: Pass) -> None:
        super().__init__()
        self._done = done
        self._results: deque[Tensor] = deque(maxlen=_HELD)
        self._scaled: deque[tuple[Tensor, Tensor]] = deque(maxlen=_HELD)  # what it was, what it is

    def heads(self, given: Tensor) -> tuple[int, int]:
        """How many results of heads [1, heads, tokens, size] are side by side in what a matrix is given."""
        for one in reversed(self._results):
            side_by_side = one.transpose(1, 2).flatten(2)
            if side_by_side.shape == given.shape and torch.equal(side_by_side, given):
                self._results.clear()
                return one.shape[1], one.shape[3]
        return 0, 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if not isinstance(result, Tensor):
            return result
        if result.dim() == 4 and getattr(func, "__name__", "") in _PRODUCTS:
            self._results.append(result)
        elif result.dim() == 3 and (one := scaled(func, args)) is not None:
            self._scaled.append((one, result))
        elif result.dim() == 3 and is_addition(func, args) and args[0].shape == args[1].shape:
            first, second = (self._unscaled(one) for one in args)
            self._done.sums[id(result)] = (first, second, result)
        return result

    def _unscaled(self, one: Tensor) -> Tensor:
        return next((was for was, now in self._scaled if now is one), one)


def is_addition(func: Any, args: tuple[Any, ...]) -> bool:
    """Of two tensors."""
    tensors = len(args) == 2 and all(isinstance(one, Tensor) for one in args)
    return tensors and getattr(func, "__name__", "") in _ADDITIONS


def scaled(func: Any, args: tuple[Any, ...]) -> Tensor | None:
    """The tensor that is multiplied by a number, as some architectures do before they add."""
    if getattr(func, "__name__", "") not in _SCALINGS or len(args) != 2:
        return None
    tensors = [one for one in args if isinstance(one, Tensor)]
    numbers = [one for one in args if isinstance(one, float | int)]
    return tensors[0] if len(tensors) == len(numbers) == 1 else None


def is_matrix(module: nn.Module) -> bool:
    """Its weight has two dimensions, as that of a linear layer or of an embedding."""
    weight = getattr(module, "weight", None)
    return isinstance(weight, Tensor) and weight.dim() == 2


def first_tensor(found: Any) -> Tensor:
    """Of what a module takes or gives: a tensor, or several in a tuple or an output object; else an empty
    one."""
    if isinstance(found, Tensor):
        return found
    several = (
        found.values() if isinstance(found, Mapping) else found if isinstance(found, tuple | list) else ()
    )
    return next((one for one in several if isinstance(one, Tensor)), _NOTHING)
