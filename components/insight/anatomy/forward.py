"""One forward pass of a network with everything that its modules take and give. Imports torch.

A checkpoint is opened in three steps, inside a task's `run(model, inputs, options)`, which the runner drives:

    read = yield from reading.read(model, text, text_pair)  # `LONGEST` = 512 tokens at most, a note if cut
    network = instrumented_copy(model.network)  # the same tensors; hooks on it are nobody else's
    done = forward(network, read.inputs)  # or forward(network, read.inputs, hooks, pre_hooks)

`blocks(done)` (blocks.py) then says what the network consists of, by the names of its modules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import torch

from components.insight.attention_extraction import watch

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel

_NOTHING = torch.empty(0)

# As `register_forward_hook(..., with_kwargs=True)` takes it: (module, args, kwargs, output) -> None or the
# output that is used instead.
Hook = Callable[[Any, tuple[Any, ...], dict[str, Any], Any], Any]
# As `register_forward_pre_hook(..., with_kwargs=True)` takes it: (module, args, kwargs) -> None or new ones.
PreHook = Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Call:
    """One run of a module. `given` and `output` are the first tensor that it took and gave, an empty one if
    there was none; `begin` and `end` count all runs' beginnings and ends, so that a run inside another lies
    within. `crosses`: it was given states of the other stack."""

    name: str  # as in `named_modules`
    module: nn.Module
    given: Tensor
    output: Tensor
    begin: int
    end: int
    crosses: bool


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
    """`calls` in the order in which they ended."""

    network: PreTrainedModel
    output: Any  # as the network gives it
    calls: list[Call] = field(default_factory=list)
    attended: list[Attended] = field(default_factory=list)


@torch.inference_mode()
def forward(
    network: PreTrainedModel,
    inputs: Mapping[str, Tensor],
    hooks: Mapping[str, Hook] | None = None,
    pre_hooks: Mapping[str, PreHook] | None = None,
) -> Pass:
    """Runs an instrumented copy once. `hooks` and `pre_hooks`, by the name of a module, change what goes on
    in it; what is noted is what they leave."""
    done = Pass(network=network, output=None)
    names = {id(module): name for name, module in network.named_modules()}
    clock = count()
    begun: dict[int, list[int]] = {}

    def begins(module: nn.Module, args: Any, kwargs: Any) -> None:
        begun.setdefault(id(module), []).append(next(clock))

    def ends(module: nn.Module, args: Any, kwargs: Mapping[str, Any], output: Any) -> None:
        others = ("key_value_states", "encoder_hidden_states")
        done.calls.append(
            Call(
                name=names[id(module)],
                module=module,
                given=first_tensor((*args, *kwargs.values())),
                output=first_tensor(output),
                begin=begun[id(module)].pop(),
                end=next(clock),
                crosses=any(kwargs.get(name) is not None for name in others),
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

    watch(network, attends)
    handles: list[Any] = []
    try:
        for name, before in (pre_hooks or {}).items():
            module = network.get_submodule(name)
            handles.append(module.register_forward_pre_hook(before, with_kwargs=True))
        for name, after in (hooks or {}).items():
            module = network.get_submodule(name)
            handles.append(module.register_forward_hook(after, with_kwargs=True))
        for module in network.modules():
            handles.append(module.register_forward_pre_hook(begins, with_kwargs=True))
            handles.append(module.register_forward_hook(ends, with_kwargs=True))
        output = network(**inputs, output_hidden_states=True, return_dict=True, use_cache=False)
    finally:
        for handle in handles:
            handle.remove()
    return Pass(network=network, output=output, calls=done.calls, attended=done.attended)


def first_tensor(found: Any) -> Tensor:
    """Of what a module takes or gives: a tensor, or several in a tuple or an output object; else an empty
    one."""
    if isinstance(found, torch.Tensor):
        return found
    several = (
        found.values() if isinstance(found, Mapping) else found if isinstance(found, tuple | list) else ()
    )
    return next((one for one in several if isinstance(one, torch.Tensor)), _NOTHING)
