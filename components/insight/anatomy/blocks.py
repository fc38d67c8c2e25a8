"""What a network consists of, told by one forward pass: its blocks, what in them writes to the residual
stream, and where it learns positions. Imports torch.

No architecture is known by name. Blocks are the modules that lists of modules hold. Within a block, what
comes out is led back to what went in: as the output of a normalization, or as a sum of something that was
there and of what a module gave. What cannot be told is left out rather than guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from torch import nn

from components.insight.anatomy.forward import Attended, Call, Pass, is_matrix
from components.insight.anatomy.record import HIDDEN
from components.insight.placement import PositionKind

if TYPE_CHECKING:
    from torch import Tensor

Side = Literal["encoder", "decoder"]
Kind = Literal["self-attention", "cross-attention", "feed-forward", "other", "block"]
_ATTENTION = re.compile("att(n|ention)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """A change of the residual stream [1, tokens, width]. `writers` add what they give to it; `norm` then
    puts it through a normalization, which is on the stream itself (post-norm) and not in front of a sublayer.
    `state` is the stream after it."""

    writers: tuple[Call, ...]
    norm: Call | None
    state: Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Sublayer:
    """A part of a block that reads the residual stream and writes to it.

    `module` is the outermost module that gives what is added to the stream, `projection` the last linear
    layer inside: what it takes are the results of `heads` heads, `size` numbers each, side by side, or the
    neurons of a feed-forward network. `heads` is 0 where they cannot be told. `attention` is None where the
    pass did not tell of it; `norm` is the normalization in front (pre-norm), None if there is none. An
    "other" is alone in a block without attention, as a state space is; a "block" could not be taken apart.
    """

    kind: Kind
    writer: Call  # the run of `module`
    projection: str = ""
    heads: int = 0
    size: int = 0
    norm: str | None = None
    attention: Attended | None = None
    step: Step
    calls: tuple[Call, ...]  # the runs of modules between reading and writing

    @property
    def module(self) -> str:
        return self.writer.name


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """`index` counts the blocks of a side; one module may be several blocks, where they share weights."""

    side: Side
    index: int
    call: Call
    sublayers: tuple[Sublayer, ...]
    steps: tuple[Step, ...]

    @property
    def name(self) -> str:
        return self.call.name


@dataclass(frozen=True, kw_only=True)
class Position:
    """A module that tells the network where a token stands. `first` is the row of the first token in a
    table."""

    path: str
    kind: PositionKind
    first: int = 0


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
        steps = _Trace(done, call, inside).back(call.output)
        if steps is None:
            steps = [Step(writers=(call,), norm=None, state=call.output)]
        attended = [one for one in done.attended if call.begin < one.time < call.end]
        sublayers = list(_sublayers(call, steps, inside, attended))
        if {one.kind for one in sublayers} == {"feed-forward"}:
            sublayers = [replace(one, kind="other") for one in sublayers]
        found.append(Block(side=side, index=index, call=call, sublayers=tuple(sublayers), steps=tuple(steps)))
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


class _Trace:
    """Leads a state back to what a block was given."""

    def __init__(self, done: Pass, block: Call, inside: Sequence[Call]) -> None:
        self._sums = done.sums
        self._inside = inside
        self._found: dict[int, list[Step] | None] = {id(block.given): []}

    def back(self, state: Tensor) -> list[Step] | None:
        """The steps from there to a state; None if they cannot be told."""
        if id(state) not in self._found:
            self._found[id(state)] = None  # until it is found: nothing leads through itself
            self._found[id(state)] = self._normalized(state) or self._added(state)
        return self._found[id(state)]

    def _normalized(self, state: Tensor) -> list[Step] | None:
        norm = next((one for one in self._givers(state) if is_norm(one)), None)
        before = None if norm is None else self.back(norm.given)
        if before is None:
            return None
        ends = before[-1:] if before and before[-1].norm is None else []  # then it is a step with its norm
        writers = ends[0].writers if ends else ()
        return [*before[: len(before) - len(ends)], Step(writers=writers, norm=norm, state=state)]

    def _added(self, state: Tensor) -> list[Step] | None:
        """One was there, the other a module gave; in a parallel block it is the sum of what two gave."""
        one, other, _ = self._sums.get(id(state), (None, None, None))
        for base, addend in ((one, other), (other, one)):
            if base is not None and addend is not None and (writers := self._writers(addend)):
                before = self.back(base)
                if before is not None:
                    return [*before, Step(writers=writers, norm=None, state=state)]
        return None

    def _writers(self, addend: Tensor) -> tuple[Call, ...]:
        """The outermost module that gave it, or the two whose sum it is."""
        if givers := self._givers(addend):
            return (givers[-1],)
        terms = [self._givers(one) for one in self._sums.get(id(addend), ())[:2]]
        return tuple(sorted((one[-1] for one in terms), key=_ended)) if all(terms) else ()

    def _givers(self, state: Tensor) -> list[Call]:
        """From the inside out, without those that give on what they were given, as dropout does."""
        return [one for one in self._inside if one.output is state and one.given is not state]


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
            linear = [one for one in calls if _is_linear(one)]
            projection = next((one for one in linear if one.heads[0]), linear[-1] if linear else None)
            heads, size = projection.heads if projection else (0, 0)
            kind: Kind = "feed-forward"
            if writer is block:
                kind = "block"
            elif own or heads or _ATTENTION.search(writer.name.removeprefix(block.name)):
                kind = "cross-attention" if any(call.crosses for call in calls) else "self-attention"
            norm = next((one for one in sorted(calls, key=_began) if is_norm(one)), None)
            yield Sublayer(
                kind=kind,
                writer=writer,
                projection=projection.name if projection else "",
                heads=heads,
                size=size,
                norm=norm.name if norm and _reads_stream(norm, block, steps) else None,
                attention=own[0] if own else None,
                step=step,
                calls=tuple(calls),
            )
        ends = [one.end for one in (*step.writers, *filter(None, [step.norm]))]
        begin = max(ends)


def _is_linear(call: Call) -> bool:
    """A matrix that takes numbers; an embedding takes ids."""
    return is_matrix(call.module) and call.given.is_floating_point()


def _reads_stream(norm: Call, block: Call, steps: Sequence[Step]) -> bool:
    return any(norm.given is state for state in (block.given, *(step.state for step in steps)))


def _began(call: Call) -> int:
    return call.begin


def _ended(call: Call) -> int:
    return call.end


# Positions


def positions(done: Pass) -> list[Position]:
    found: dict[str, Position] = {}
    for call in done.calls:
        position = None if call.name in found else _position(done, call)
        if position is not None:
            found[call.name] = position
    return list(found.values())


def _position(done: Pass, call: Call) -> Position | None:
    """By the library's names for such modules; else an embedding that was given consecutive numbers."""
    module, ids = call.module, call.given
    kind = type(module).__name__
    table = isinstance(module, nn.Embedding)
    if "Rotary" in kind:  # which gives cosine and sine
        return Position(path=call.name, kind="rotary") if call.tensors == 2 else None
    if "Sinusoidal" in kind:
        first = getattr(module, "offset", 0) if table else (getattr(module, "padding_idx", None) or -1) + 1
        return Position(path=call.name, kind="sinusoidal", first=int(first))
    if not table:
        return None
    if "Position" in kind:
        return Position(path=call.name, kind="learned", first=int(getattr(module, "offset", 0)))
    if module.num_embeddings == done.network.config.vocab_size or not ids.dim() or ids.shape[-1] < 2:
        return None
    if ids.numel() > ids.shape[-1]:  # relative positions come for each query and key
        return Position(path=call.name, kind="relative")
    if bool((ids.flatten().diff() == 1).all()):
        return Position(path=call.name, kind="learned", first=int(ids.flatten()[0]))
    return None
