"""Parts of a network switched off for a run. Imports torch.

Everything happens on a copy of the network's modules (`instrumented.py`) that shares its tensors, so that
nobody else's answer changes. Heads are silenced as in Michel et al. 2019 (https://arxiv.org/abs/1905.10650):
what a head gives to the output projection becomes zero.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from components.insight import outcomes, reading
from components.insight.anatomy.blocks import Block, Kind, Position, blocks, positions
from components.insight.anatomy.forward import first_tensor, forward, is_addition, scaled
from components.insight.instrumented import instrumented_copy
from components.insight.parts import EVERY, Ablated, Cost, Costs, Offered, Part, What
from components.models.errors import Code, TourError
from components.tasks.task import Progress, scaled_progress
from components.texts import in_folder

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from components.insight.reading import Reading
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

READ = 16  # tokens that tell the parts; more give the same ones
_KINDS: Mapping[What, Kind] = {
    "attention": "self-attention",
    "cross-attention": "cross-attention",
    "feed-forward": "feed-forward",
}


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Of a network; `blocks` by side, "encoder" and "decoder" of a network with both, else ""."""

    blocks: Mapping[str, Sequence[Block]]
    positions: Sequence[Position]

    @property
    def sides(self) -> tuple[str, ...]:
        return tuple(self.blocks)


def ablate(model: LoadedModel, text: str, text_pair: str, part: Part) -> Generator[Progress, None, Ablated]:
    """Yields between pieces of work. Raises `TourError` for a part that the network lacks."""
    network, read, parts = yield from opened(model, text, text_pair)
    with switched_off(network, parts, part):
        pass  # what cannot be switched off is refused before anything is computed
    before = outcomes.outcome(model, network, read)
    first = yield from scaled_progress(outcomes.written(model, network, read), 0.2, 0.6)
    yield Progress("Running without the part", 0.6)
    with switched_off(network, parts, part):
        after = outcomes.outcome(model, network, read)
        second = yield from scaled_progress(outcomes.written(model, network, read), 0.6, 1.0)
    return Ablated(
        part=part,
        difference=outcomes.difference(before, after, first, second),
        tokens=tuple(outcomes.tokens(model, read)),
        offered=offered(parts),
        notes=read.notes,
        tokens_used=len(read.pieces),
    )


def costs(
    model: LoadedModel, text: str, text_pair: str, side: str = "", heads: bool = False
) -> Generator[Progress, None, Costs]:
    """What each part is worth: of every layer its sublayers, residual path and itself, or its heads. Yields
    after each. Layers before that of a part give what they gave to the whole network."""
    network, read, parts = yield from opened(model, text, text_pair)
    with _noting(network, parts) as given:
        whole = outcomes.outcome(model, network, read)
    found = []
    asked = list(_each(parts, side or parts.sides[-1], heads=heads)) if parts.blocks else []
    for done, part in enumerate(asked):
        with _resuming(network, parts, part, given), switched_off(network, parts, part):
            after = outcomes.outcome(model, network, read)
        changed = outcomes.difference(whole, after)
        found.append(Cost(part=part, kept=changed.kept, says=changed.after))
        yield Progress("Switching off one part after the other", (done + 1) / len(asked))
    own = outcomes.difference(whole, whole)
    return Costs(
        had=own.had,
        says=own.before,
        predicts=own.predicts,
        costs=tuple(found),
        offered=offered(parts),
        notes=read.notes,
        tokens_used=len(read.pieces),
    )


@contextmanager
def _noting(network: nn.Module, parts: Parts) -> Iterator[dict[str, list[Any]]]:
    """By the path of a block, what it gave each time that it ran."""
    given: dict[str, list[Any]] = {}
    with ExitStack() as hooks:
        for block in chain.from_iterable(parts.blocks.values()):

            def note(_module: nn.Module, _given: Any, output: Any, path: str = block.name) -> None:
                given.setdefault(path, []).append(output)

            hooks.callback(network.get_submodule(block.name).register_forward_hook(note).remove)
        yield given


@contextmanager
def _resuming(
    network: nn.Module, parts: Parts, part: Part, given: Mapping[str, Sequence[Any]]
) -> Iterator[None]:
    """Blocks before that of `part` give what they gave before, without running."""
    every = list(chain.from_iterable(parts.blocks.values()))
    first = every.index(_blocks(parts, part)[0])
    with ExitStack() as hooks:
        if all(len(outputs) == 1 for outputs in given.values()):  # not those that run several times
            for block in every[:first]:
                module, [output] = network.get_submodule(block.name), given[block.name]
                hooks.enter_context(_replaced(module, lambda *_, output=output, **__: output))
        yield


def opened(
    model: LoadedModel, text: str, text_pair: str
) -> Generator[Progress, None, tuple[PreTrainedModel, Reading, Parts]]:
    """A copy of the network that is nobody else's, what it reads, and its parts."""
    yield Progress("Reading the text", 0.0)
    read = yield from reading.read(model, text, text_pair)
    network = instrumented_copy(model.network)
    return network, read, trace(network, read.inputs)


def trace(network: PreTrainedModel, inputs: Mapping[str, Tensor]) -> Parts:
    """Of a network, which must be nobody else's, that reads the first of `inputs` [1, tokens], at least two.
    A block that runs again is one of them; one that could not be taken apart is none."""
    done = forward(network, {name: one[:, :READ] for name, one in inputs.items()}, attention=False)
    both = network.config.is_encoder_decoder
    found: dict[str, dict[str, Block]] = {}
    for block in blocks(done):
        if any(one.kind != "block" for one in block.sublayers):
            own = found.setdefault(block.side if both else "", {})
            own.setdefault(block.name, replace(block, index=len(own)))
    return Parts(blocks={side: tuple(own.values()) for side, own in found.items()}, positions=positions(done))


def offered(parts: Parts) -> tuple[Offered, ...]:
    """What can be switched off of a network, and what cannot."""
    return tuple(_offered(parts, side) for side in parts.sides or ("",))


def _offered(parts: Parts, side: str) -> Offered:
    own = parts.blocks.get(side, ())
    kinds = {one.kind for block in own for one in block.sublayers}
    heads = _heads(own, "self-attention")
    what: list[What] = [
        *(["head"] if heads else []),  # type: ignore[list-item]
        *(what for what, kind in _KINDS.items() if kind in kinds),
        *(("layer", "residual") if own else ()),
        *(("positions",) if parts.positions else ()),
    ]
    missing = []
    if not own:
        missing.append(TEXTS["no_layers"])
    if not heads:
        missing.append(TEXTS["no_heads"])
    if not kinds & {"self-attention", "cross-attention"}:
        missing.append("No attention was recognized in its layers.")
    if "feed-forward" not in kinds:
        missing.append("No feed-forward part was recognized in its layers.")
    if not parts.positions:
        missing.append("No module was recognized that tells it where a token stands.")
    return Offered(
        side=side,
        layers=len(own),
        heads=heads,
        cross_heads=_heads(own, "cross-attention"),
        what=tuple(what),
        missing=tuple(missing),
    )


def _heads(found: Sequence[Block], kind: Kind) -> int:
    return max((one.heads for block in found for one in block.sublayers if one.kind == kind), default=0)


def _each(parts: Parts, side: str, *, heads: bool) -> Iterator[Part]:
    """One at a time, layer by layer."""
    what = _offered(parts, side).what
    for block in parts.blocks.get(side, ()):
        if heads:
            for own in block.sublayers:
                for head in range(own.heads):
                    cross = own.kind == "cross-attention"
                    yield Part(what="head", layer=block.index, head=head, side=side, cross=cross)
            continue
        for one in what:
            if one not in ("head", "positions") and (
                one in ("layer", "residual") or any(own.kind == _KINDS[one] for own in block.sublayers)
            ):
                yield Part(what=one, layer=block.index, side=side)


# Switching off


@contextmanager
def switched_off(network: nn.Module, parts: Parts, part: Part) -> Iterator[None]:
    """A part of `network`, which must be nobody else's, does nothing inside; then all is as before.

    Raises `TourError` for a part that it lacks.
    """
    with ExitStack() as hooks:
        if part.what == "positions":
            _without_positions(network, parts, hooks)
        else:
            for block in _blocks(parts, part):
                _OFF[part.what](network, block, part, hooks)
        yield


def _blocks(parts: Parts, part: Part) -> Sequence[Block]:
    sides = parts.sides
    side = part.side or (sides[-1] if sides else "")
    if side not in sides:
        if not sides:
            raise _untold("its layers")
        have = " and ".join(side for side in sides if side) or "one side only"
        raise TourError(
            Code.INVALID_INPUT,
            f"This model has no {side or 'layers'}, it has {have}. Choose another.",
            "side",
        )
    found = parts.blocks[side]
    if part.layer == EVERY:
        return found
    if not 0 <= part.layer < len(found):
        raise _lacking("layer", part.layer, len(found))
    return (found[part.layer],)


def _lacking(name: str, asked: int, most: int) -> TourError:
    """In the page's numbers, which begin with 1."""
    return TourError(
        Code.INVALID_INPUT,
        TEXTS["no_such_part"].format(name=name, number=asked + 1, most=most),
        name,
    )


def _untold(what: str) -> TourError:
    return TourError(
        Code.UNSUITABLE_MODEL,
        TEXTS["no_kind"].format(what=what),
        "what",
    )


def _head_off(network: nn.Module, block: Block, part: Part, hooks: ExitStack) -> None:
    what: What = "cross-attention" if part.cross else "attention"
    own = [one for one in block.sublayers if one.kind == _KINDS[what] and one.heads]
    if not own:
        raise _untold(f"the heads of its {what}")
    for one in own:
        if part.head != EVERY and not 0 <= part.head < one.heads:
            raise _lacking("head", part.head, one.heads)
        start, stop = (
            (0, one.heads * one.size)
            if part.head == EVERY
            else (part.head * one.size, (part.head + 1) * one.size)
        )

        def silence(module: nn.Module, given: Any, start: int = start, stop: int = stop) -> Any:
            silenced = given[0].clone()
            silenced[..., start:stop] = 0
            return (silenced, *given[1:])

        hooks.callback(network.get_submodule(one.projection).register_forward_pre_hook(silence).remove)


def _sublayer_off(network: nn.Module, block: Block, part: Part, hooks: ExitStack) -> None:
    """What it would add to the residual stream is zero."""
    own = [one for one in block.sublayers if one.kind == _KINDS[part.what]]
    if not own:
        raise _untold(f"its {part.what}" + (" part" if part.what == "feed-forward" else ""))
    for one in own:
        hooks.callback(network.get_submodule(one.module).register_forward_hook(_zero).remove)


def _layer_off(network: nn.Module, block: Block, part: Part, hooks: ExitStack) -> None:
    """It gives on what it was given. It runs nevertheless, so that caches stay as long as the text."""

    def skip(module: nn.Module, given: Any, more: Any, output: Any) -> Any:
        state = given[0] if given else more["hidden_states"]
        return (state, *output[1:]) if isinstance(output, tuple) else state

    hooks.callback(network.get_submodule(block.name).register_forward_hook(skip, with_kwargs=True).remove)


def _residual_off(network: nn.Module, block: Block, part: Part, hooks: ExitStack) -> None:
    """Each sum of what was there and what a sublayer wrote is what it wrote alone."""
    written: list[Tensor] = []

    def note(module: nn.Module, given: Any, output: Any) -> None:
        written.append(first_tensor(output))

    for one in block.sublayers:
        hooks.callback(network.get_submodule(one.module).register_forward_hook(note).remove)
    hooks.enter_context(_inside(network.get_submodule(block.name), partial(_Alone, written)))


@contextmanager
def _inside(module: nn.Module, mode: Callable[[], TorchFunctionMode]) -> Iterator[None]:
    """Runs a module's forward under a mode of its own, in whichever thread that is."""
    forward = module.forward

    def watched(*arguments: Any, **more: Any) -> Any:
        with mode():
            return forward(*arguments, **more)

    with _replaced(module, watched):
        yield


@contextmanager
def _replaced(module: nn.Module, forward: Callable[..., Any]) -> Iterator[None]:
    """Has a module, which must be nobody else's, run `forward`."""
    own = module.__dict__.get("forward")
    module.__dict__["forward"] = forward
    try:
        yield
    finally:
        del module.__dict__["forward"]
        if own is not None:
            module.__dict__["forward"] = own


class _Alone(TorchFunctionMode):
    """Sums of which one part is among what was `written` are that part."""

    def __init__(self, written: list[Tensor]) -> None:
        super().__init__()
        self._written = written

    def __enter__(self) -> _Alone:
        self._written.clear()
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if is_addition(func, args):
            own = [one for one in args if any(one is tensor for tensor in self._written)]
            if len(own) == 1:  # from here on it is what was there
                self._written[:] = [tensor for tensor in self._written if tensor is not own[0]]
                return own[0]
            if len(own) == 2:  # of sublayers side by side: their sum is written, too
                self._written.append(func(*args, **(kwargs or {})))
                return self._written[-1]
        result = func(*args, **(kwargs or {}))
        one = scaled(func, args)
        if one is not None and any(one is tensor for tensor in self._written):
            self._written.append(result)
        return result


_OFF: dict[What, Callable[[nn.Module, Block, Part, ExitStack], None]] = {
    "head": _head_off,
    "attention": _sublayer_off,
    "cross-attention": _sublayer_off,
    "feed-forward": _sublayer_off,
    "layer": _layer_off,
    "residual": _residual_off,
}


def _without_positions(network: nn.Module, parts: Parts, hooks: ExitStack) -> None:
    if not parts.positions:
        raise _untold("those that tell it where a token stands")
    for one in parts.positions:
        hooks.callback(network.get_submodule(one.path).register_forward_hook(_placeless(one)).remove)


def _placeless(position: Position) -> Callable[[nn.Module, Any, Any], Any]:
    return _unturned if position.kind == "rotary" else _zero


def _zero(module: nn.Module, given: Any, output: Any) -> Any:
    """Nothing is added: to the stream, to the tokens' vectors, or to attention's scores."""
    if isinstance(output, tuple):
        return (torch.zeros_like(output[0]), *output[1:])
    return torch.zeros_like(output)


def _unturned(module: nn.Module, given: Any, output: Any) -> Any:
    """No query or key is turned: every token is where the first one is."""
    cosine, sine = output
    scale = getattr(module, "attention_scaling", 1.0)
    return torch.full_like(cosine, scale), torch.zeros_like(sine)
