"""What a network consists of, told by one forward pass: its blocks, and what in them writes to the residual
stream. Imports torch.

No architecture is known by name. Blocks are the modules that lists of modules hold. Within a block, what
comes out is led back to what went in: as the output of a normalization, or as a sum of something that was
there and of what a module gave. Sums are recognized by their numbers, which are the same to the last bit when
they are added again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from operator import itemgetter
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from components.insight.anatomy.forward import Attended, Call, Pass

if TYPE_CHECKING:
    from torch import Tensor

Side = Literal["encoder", "decoder"]
Kind = Literal["self-attention", "cross-attention", "feed-forward", "block"]
HIDDEN = -1e3  # what is added to the score of a token that is masked is below this
_TERMS = 2  # that are added to the stream at once at most, as attention and feed-forward in parallel


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """A change of the residual stream [tokens, width]. `writers` add what they give to it; `norm` then puts
    it through a normalization, which is on the stream itself (post-norm) and not in front of a sublayer.
    `state` is the stream after it."""

    writers: tuple[Call, ...]
    norm: Call | None
    state: Tensor

    @property
    def written(self) -> Tensor | None:
        """[tokens, width], of all writers together."""
        found = [one.output[0] for one in self.writers]
        return torch.stack(found).sum(dim=0) if found else None


@dataclass(frozen=True, kw_only=True, eq=False)
class Sublayer:
    """A part of a block that reads the residual stream and writes to it.

    `module` is the outermost module that gives what is added to the stream, `projection` the last linear
    layer inside: what it takes are the heads' outputs side by side, or the neurons of a feed-forward network.
    `attention` is None for one without; `norm` is the normalization in front of it (pre-norm), None if there
    is none. A "block" is one that could not be taken apart.
    """

    kind: Kind
    module: str
    writer: Call  # the run of it
    projection: str | None
    norm: str | None
    attention: Attended | None
    step: Step
    calls: tuple[Call, ...]  # the runs of modules between reading and writing


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """`index` counts the blocks of a side; one module may be several blocks, where they share weights."""

    name: str
    side: Side
    index: int
    call: Call
    sublayers: tuple[Sublayer, ...]
    steps: tuple[Step, ...]

    @cached_property
    def entering(self) -> Tensor:
        """The residual stream [tokens, width] before it."""
        return self.call.given[0]


def blocks(done: Pass) -> list[Block]:
    """In the order in which they ran."""
    counts: dict[str, int] = {}
    found = []
    for call in sorted(done.calls, key=lambda one: one.begin):
        if not _is_block(call):
            continue
        side = _side(done, call.name)
        index = counts[side] = counts.get(side, -1) + 1
        inside = [one for one in done.calls if call.begin < one.begin and one.end < call.end]
        steps = tuple(_steps(call, inside))
        attended = [one for one in done.attended if call.begin < one.time < call.end]
        found.append(
            Block(
                name=call.name,
                side=side,
                index=index,
                call=call,
                sublayers=tuple(_sublayers(call, steps, inside, attended)),
                steps=steps,
            )
        )
    return found


def _is_block(call: Call) -> bool:
    """An entry of a list of modules, in no other such list, that takes states and gives others like them."""
    *path, last = call.name.split(".")
    if not last.isdigit() or any(part.isdigit() for part in path):
        return False
    return call.given.dim() == 3 and call.given.shape == call.output.shape


def _side(done: Pass, name: str) -> Side:
    config = done.network.config
    if config.is_encoder_decoder:
        return "decoder" if "decoder" in name.split(".") else "encoder"
    return (
        "decoder" if any(one.added is not None and _causal(one) for one in done.attended[:1]) else "encoder"
    )


def _causal(one: Attended) -> bool:
    """Whether the first token reads from itself alone, though there are others."""
    if one.added is None or one.added.shape[-1] < 2:
        return False
    return bool((one.added[0, 0, 1:] < HIDDEN).all())


# Sums


@dataclass(frozen=True, eq=False)
class _Value:
    """Numbers that occur in a block: where they first occur, and the runs that gave them, the outermost
    first."""

    tensor: Tensor
    time: int
    calls: tuple[Call, ...]


def _steps(block: Call, inside: Sequence[Call]) -> list[Step]:
    """From what enters a block to what leaves it."""
    values = _values(block, inside)
    end = next(place for place, one in enumerate(values) if same(one.tensor, block.output))
    found = _Trace(values).back(end)
    return [Step(writers=(block,), norm=None, state=block.output[0])] if found is None else found


def _values(block: Call, inside: Sequence[Call]) -> list[_Value]:
    """The first one is what the block was given."""
    shape = block.given.shape
    there: list[tuple[int, Tensor, Call | None]] = [(block.begin, block.given, None)]
    for call in (*inside, block):
        if call.given.shape == shape:
            there.append((call.begin, call.given, None))
        if call.output.shape == shape:
            passes_on = same(call.given, call.output)  # as dropout does
            there.append((call.end, call.output, None if call is block or passes_on else call))
    found: list[_Value] = []
    for time, tensor, giver in sorted(there, key=itemgetter(0)):
        place = next((place for place, one in enumerate(found) if same(one.tensor, tensor)), None)
        givers = () if giver is None else (giver,)
        if place is None:
            found.append(_Value(tensor, time, givers))
        else:  # a run that ends later with the same is around those before
            found[place] = replace(found[place], calls=(*givers, *found[place].calls))
    return found


class _Trace:
    """Leads a value back to the first one."""

    def __init__(self, values: Sequence[_Value]) -> None:
        self._values = values
        self._probes = np.stack([one.tensor[0, -1].float().cpu().numpy() for one in values])
        self._within = 1e-5 if values[0].tensor.dtype == torch.float32 else 1e-2
        self._hopeless: set[int] = set()

    def back(self, place: int) -> list[Step] | None:
        """The steps from the first value to that in a place; None if they cannot be told."""
        if place == 0:
            return []
        if place in self._hopeless:
            return None
        self._hopeless.add(place)  # until it is found: nothing leads through itself
        value = self._values[place]
        for call in value.calls:
            if is_norm(call):
                base = next((at for at, one in enumerate(self._values) if same(one.tensor, call.given)), None)
                before = None if base is None else self.back(base)
                if before is not None:
                    last = before.pop() if before and before[-1].norm is None else None
                    step = Step(writers=last.writers if last else (), norm=call, state=value.tensor[0])
                    return [*before, step]
        for base, writers in self._sums(place):
            before = self.back(base)
            if before is not None:
                calls = tuple(self._values[one].calls[0] for one in writers)
                return [*before, Step(writers=calls, norm=None, state=value.tensor[0])]
        return None

    def _sums(self, place: int) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Which earlier values it may be the sum of: one that was there, and others that modules gave."""
        value = self._values[place]
        there = [at for at, one in enumerate(self._values[:place]) if at not in self._hopeless]
        given = [at for at, one in enumerate(self._values[:place]) if one.calls]
        probe = self._probes[place]
        close = self._within * (np.abs(probe).max() + 1)
        for terms in range(1, _TERMS + 1):
            for writers in combinations(given, terms):
                rest = probe - self._probes[list(writers)].sum(axis=0)
                for base in np.flatnonzero(np.abs(self._probes[there] - rest).max(axis=1) < close):
                    found = there[base]
                    if found not in writers and self._adds_up(value.tensor, (found, *writers)):
                        yield found, writers

    def _adds_up(self, tensor: Tensor, places: Sequence[int]) -> bool:
        whole = sum(self._values[place].tensor.float() for place in places)
        off = (tensor.float() - whole).abs().max()
        return bool(off <= self._within * (tensor.abs().max() + 1))


def same(one: Tensor, other: Tensor) -> bool:
    """To the last bit."""
    if one is other or one.shape != other.shape:
        return one is other
    return torch.equal(one[-1], other[-1]) and torch.equal(one, other)


def is_norm(call: Call) -> bool:
    """A normalization, of whatever kind."""
    return "norm" in type(call.module).__name__.lower()


# Sublayers


def _sublayers(
    block: Call, steps: Sequence[Step], inside: Sequence[Call], attended: Sequence[Attended]
) -> Iterator[Sublayer]:
    """One for each module that writes to the stream."""
    begin = block.begin
    for step in steps:
        for writer in step.writers:
            calls = [one for one in inside if begin < one.begin and one.end <= writer.end]
            if len(step.writers) > 1:  # in parallel: each its own
                calls = [one for one in inside if writer.begin <= one.begin and one.end <= writer.end]
            own = [one for one in attended if any(call.begin < one.time < call.end for call in calls)]
            crosses = any(call.crosses for call in calls) and bool(own)
            kind: Kind = "cross-attention" if crosses else "self-attention" if own else "feed-forward"
            if writer is block:
                kind = "block"
            norm = next((one for one in sorted(calls, key=lambda one: one.begin) if is_norm(one)), None)
            linear = [one for one in calls if _is_linear(one)]
            yield Sublayer(
                kind=kind,
                module=writer.name,
                writer=writer,
                projection=linear[-1].name if linear else None,
                norm=norm.name if norm and _reads_stream(norm, block, steps) else None,
                attention=own[0] if own else None,
                step=step,
                calls=tuple(calls),
            )
        ends = [one.end for one in (*step.writers, *filter(None, [step.norm]))]
        begin = max(ends)


def _is_linear(call: Call) -> bool:
    """A matrix: its weight has two dimensions, and it takes numbers (an embedding takes ids)."""
    weight = getattr(call.module, "weight", None)
    return weight is not None and weight.dim() == 2 and call.given.is_floating_point()


def _reads_stream(norm: Call, block: Call, steps: Sequence[Step]) -> bool:
    states = [block.given[0], *(step.state for step in steps)]
    return any(same(norm.given, state[None]) for state in states)
