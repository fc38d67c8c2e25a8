"""What a network consists of as it runs: blocks, what they write into the residual stream, heads, positions.

Nothing is looked up by a model type's names. One forward pass tells: what a block adds to its input is a
sublayer; an output projection is the matrix that was given the heads' results side by side; an embedding that
was given consecutive numbers is one of positions. What cannot be told is left out rather than guessed.
Imports torch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from components.insight.placement import PositionKind

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Kind = Literal["attention", "cross-attention", "feed-forward", "other"]

_ADDITIONS = frozenset({"add", "__add__", "__radd__", "add_", "__iadd__"})
_ATTENTION = re.compile("att(n|ention)", re.IGNORECASE)
_SCALINGS = frozenset({"mul", "__mul__", "__rmul__"})
_PRODUCTS = frozenset({"matmul", "__matmul__", "scaled_dot_product_attention"})


@dataclass(frozen=True, kw_only=True)
class Sublayer:
    """What a block adds to the residual stream. `writer` is the module whose output is added; `projection`
    that which is given the results of `heads` heads, `size` numbers each, side by side; empty if there is
    none or it cannot be told."""

    kind: Kind
    writer: str
    projection: str = ""
    heads: int = 0
    size: int = 0


@dataclass(frozen=True, kw_only=True)
class Block:
    """One of the repeated layers; `side` is "encoder" or "decoder" of a network with both, else empty."""

    path: str
    side: str
    number: int
    sublayers: tuple[Sublayer, ...]

    @property
    def heads(self) -> int:
        """Of its first attention whose output projection is known."""
        return next((one.heads for one in self.sublayers if one.projection), 0)


@dataclass(frozen=True, kw_only=True)
class Position:
    """A module that tells the network where a token stands. `first` is the row of the first token in a
    table."""

    path: str
    kind: PositionKind
    first: int = 0


@dataclass(frozen=True, kw_only=True)
class Parts:
    blocks: tuple[Block, ...]
    positions: tuple[Position, ...]

    def side(self, name: str) -> tuple[Block, ...]:
        return tuple(block for block in self.blocks if block.side == name)

    @property
    def sides(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(block.side for block in self.blocks))


@torch.inference_mode()
def trace(network: PreTrainedModel, inputs: Mapping[str, Tensor]) -> Parts:
    """Runs a network, which must be nobody else's, once over `inputs` [1, tokens], at least two tokens."""
    blocks: list[Block] = []
    positions: dict[str, Position] = {}
    with ExitStack() as hooks:
        for path, module in network.named_modules():
            if _is_block(path):
                hooks.enter_context(_watched(network, path, module, blocks))
            if watch := _watch_positions(network, path, module, positions):
                hooks.callback(module.register_forward_hook(watch).remove)
        network(**inputs, return_dict=True, use_cache=False)
    return Parts(blocks=tuple(_numbered(blocks)), positions=tuple(positions.values()))


@contextmanager
def inside(module: nn.Module, mode: Callable[[], TorchFunctionMode]) -> Iterator[None]:
    """Runs a module's forward under a mode of its own, in whichever thread that is."""
    forward = module.forward

    def watched(*arguments: Any, **more: Any) -> Any:
        with mode():
            return forward(*arguments, **more)

    with replaced(module, watched):
        yield


@contextmanager
def replaced(module: nn.Module, forward: Callable[..., Any]) -> Iterator[None]:
    """Has a module, which must be nobody else's, run `forward`."""
    own = module.__dict__.get("forward")
    module.__dict__["forward"] = forward
    try:
        yield
    finally:
        del module.__dict__["forward"]
        if own is not None:
            module.__dict__["forward"] = own


def is_addition(func: Any) -> bool:
    return getattr(func, "__name__", "") in _ADDITIONS


def scaled(func: Any, args: tuple[Any, ...]) -> Tensor | None:
    """The tensor that is multiplied by a number, as some architectures do before they add."""
    if getattr(func, "__name__", "") not in _SCALINGS or len(args) != 2:
        return None
    tensors = [one for one in args if isinstance(one, Tensor)]
    numbers = [one for one in args if isinstance(one, float | int)]
    return tensors[0] if len(tensors) == len(numbers) == 1 else None


def first_tensor(output: Any) -> Tensor | None:
    """What a module gives on, which may come with more."""
    given = output[0] if isinstance(output, tuple) and output else output
    return given if isinstance(given, Tensor) else None


# Blocks


def _is_block(path: str) -> bool:
    """Whether it is an item of an outermost list of modules."""
    numbers = [part for part in path.split(".") if part.isdigit()]
    return len(numbers) == 1 and path.endswith(f".{numbers[0]}")


def _numbered(blocks: list[Block]) -> Iterator[Block]:
    counts: dict[str, int] = {}
    seen = set()
    for block in blocks:
        if block.sublayers and block.path not in seen:  # one that is run again is still one
            seen.add(block.path)
            number = counts[block.side] = counts.get(block.side, -1) + 1
            # What stands alone in a block without attention is no feed-forward part: a state space, say.
            attends = any(one.kind != "feed-forward" for one in block.sublayers)
            own = block.sublayers if attends else (replace(one, kind="other") for one in block.sublayers)
            yield replace(block, number=number, sublayers=tuple(own))


@contextmanager
def _watched(network: PreTrainedModel, path: str, block: nn.Module, found: list[Block]) -> Iterator[None]:
    """Appends a block to `found` each time it has run."""
    side = ""
    if network.config.is_encoder_decoder:
        side = next((part for part in path.split(".") if part in ("encoder", "decoder")), "")
    record = _Record(path)

    def begin(module: nn.Module, given: Any, more: Mapping[str, Any]) -> None:
        record.enter(first_tensor(given) if given else more.get("hidden_states"))

    def end(module: nn.Module, given: Any, output: Any) -> None:
        found.append(Block(path=path, side=side, number=0, sublayers=tuple(record.sublayers)))
        record.clear()

    with ExitStack() as hooks:
        for name, module in block.named_modules():
            if name:
                own = f"{path}.{name}"
                hooks.callback(module.register_forward_pre_hook(record.entering(own)).remove)
                hooks.callback(module.register_forward_hook(record.leaving(own)).remove)
        hooks.enter_context(inside(block, record.mode))
        hooks.callback(block.register_forward_pre_hook(begin, with_kwargs=True).remove)
        hooks.callback(block.register_forward_hook(end).remove)
        yield


class _Record:
    """Of one run of a block. Tensors are told apart by being the same object, so all are held meanwhile."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.clear()

    def clear(self) -> None:
        self.sublayers: list[Sublayer] = []
        self._stream: dict[int, Tensor] = {}  # the block's input, and sums of it
        self._made: dict[int, tuple[str, bool, Tensor]] = {}  # by what, and whether that is a norm
        self._scaled: dict[int, tuple[str, bool, Tensor]] = {}  # the same times a number
        self._results: list[Tensor] = []  # [1, heads, tokens, size], the newest last
        self._projection = ("", 0, 0)
        self._attended = 0

    def entering(self, path: str) -> Callable[[nn.Module, Any], None]:
        def hook(module: nn.Module, given: Any) -> None:
            weight = getattr(module, "weight", None)
            if not given or not isinstance(given[0], Tensor) or not isinstance(weight, Tensor):
                return
            if weight.dim() == 2:
                for one in reversed(self._results):
                    side_by_side = one.transpose(1, 2).flatten(2)
                    if side_by_side.shape == given[0].shape and torch.equal(side_by_side, given[0]):
                        self._projection = (path, one.shape[1], one.shape[3])
                        self._results.clear()
                        return

        return hook

    def leaving(self, path: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, given: Any, output: Any) -> None:
            made = first_tensor(output)
            if made is not None:
                # A dropout that is off gives on what it was given: the first to give it has made it.
                norm = "norm" in type(module).__name__.lower()
                self._made.setdefault(id(made), (path, norm, made))

        return hook

    def mode(self) -> TorchFunctionMode:
        return _Watching(self)

    def product(self, result: Tensor) -> None:
        if result.dim() == 4:
            self._results.append(result)

    def enter(self, state: Tensor | None) -> None:
        """What a block is given."""
        self.clear()
        if state is not None:
            self._stream[id(state)] = state

    def scaling(self, one: Tensor, result: Tensor) -> None:
        if id(one) in self._made:
            path, norm, _ = self._made[id(one)]
            self._scaled[id(result)] = (path, norm, result)

    def addition(self, one: Tensor, other: Tensor, result: Tensor) -> None:
        """Of what was there and what a module made; in a parallel block first of what two of them made."""
        if not self._stream or any(
            tensor.shape != given.shape for tensor in (one, other) for given in self._stream.values()
        ):
            return
        made = [
            self._made[id(tensor)]
            for tensor in (one, other)
            if id(tensor) in self._made and id(tensor) not in self._stream
        ]
        made = made or [self._scaled[id(tensor)] for tensor in (one, other) if id(tensor) in self._scaled]
        both = len(made) == 2
        if both and made[0][1] != made[1][1]:
            made = [part for part in made if not part[1]]  # what a norm gave is the next residual path
        elif not both and not any(id(tensor) in self._stream for tensor in (one, other)):
            return
        for path, _, _ in made:
            if path:
                self._write(path, alone=not both)
        if len(made) == 2:
            self._made[id(result)] = ("", False, result)
        elif made:
            self._stream[id(result)] = result

    def _write(self, path: str, *, alone: bool) -> None:
        projection, heads, size = self._projection
        found = heads and (alone or path == projection)
        kind: Kind = "feed-forward"
        if found or _ATTENTION.search(path.removeprefix(self._path)):
            kind = "cross-attention" if self._attended else "attention"
            self._attended += 1
        if found:
            self.sublayers.append(
                Sublayer(kind=kind, writer=path, projection=projection, heads=heads, size=size)
            )
            self._projection = ("", 0, 0)
        else:
            self.sublayers.append(Sublayer(kind=kind, writer=path))


class _Watching(TorchFunctionMode):
    def __init__(self, record: _Record) -> None:
        super().__init__()
        self._record = record

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor):
            if getattr(func, "__name__", "") in _PRODUCTS:
                self._record.product(result)
            elif (one := scaled(func, args)) is not None:
                self._record.scaling(one, result)
            elif is_addition(func) and len(args) == 2 and all(isinstance(one, Tensor) for one in args):
                one, other = args
                self._record.addition(one, other, result)
        return result


# Positions


def _watch_positions(
    network: PreTrainedModel, path: str, module: nn.Module, found: dict[str, Position]
) -> Callable[[nn.Module, Any, Any], None] | None:
    name = type(module).__name__
    table = isinstance(module, nn.Embedding)
    if "Rotary" in name:

        def turned(module: nn.Module, given: Any, output: Any) -> None:
            if isinstance(output, tuple) and len(output) == 2:  # cosine and sine
                found[path] = Position(path=path, kind="rotary")

        return turned
    if "Sinusoidal" in name or ("Position" in name and table):
        kind: PositionKind = "sinusoidal" if "Sinusoidal" in name else "learned"
        own = getattr(module, "offset", 0) if table else (getattr(module, "padding_idx", None) or -1) + 1
        return lambda *_: found.update({path: Position(path=path, kind=kind, first=int(own))})
    if not isinstance(module, nn.Embedding) or module.num_embeddings == network.config.vocab_size:
        return None

    def hook(module: nn.Module, given: Any, output: Tensor) -> None:
        ids = given[0] if given else None
        if path in found or not isinstance(ids, Tensor) or ids.shape[-1] < 2:
            return
        if ids.numel() > ids.shape[-1]:  # relative positions come for each query and key
            found[path] = Position(path=path, kind="relative")
        elif bool((ids.flatten().diff() == 1).all()):
            found[path] = Position(path=path, kind="learned", first=int(ids.flatten()[0]))

    return hook
