"""The parts of a network: its modules with what they hold, give and cost. Imports torch."""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.insight.anatomy.blocks import Block
from components.insight.anatomy.facts import FACTS
from components.insight.anatomy.forward import Pass
from components.insight.anatomy.record import Part

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the library defines a module's class; `file` is below the folder of installed packages."""

    file: str
    first: int
    last: int
    code: str


def parts(done: Pass, found: Sequence[Block]) -> list[Part]:
    """All modules in the network's order, each before its parts."""
    network = done.network
    kinds = _kinds(done, found)
    operations = _operations(done)
    shapes: dict[str, list[int]] = {}
    runs: dict[str, int] = defaultdict(int)
    for call in done.calls:
        shapes[call.name] = list(call.output.shape)
        runs[call.name] += 1
    modules = dict(network.named_modules())
    places = {name: place for place, name in enumerate(modules)}
    own, shared = _parameters(modules)
    whole, work = dict(own), {name: operations[name] for name in modules}
    for name in reversed(modules):  # what is inside comes after what is around
        if name:
            around = _around(name, modules)
            whole[around] += whole[name]
            work[around] += work[name]
    return [
        Part(
            name=name,
            parent=places[_around(name, modules)] if name else -1,
            type=type(module).__name__,
            kind=kinds.get(name) or kind_of(name, module, network.config),
            parameters=whole[name],
            own=own[name],
            shared=shared.get(name, ""),
            runs=runs[name],
            shape=shapes.get(name, []),
            operations=work[name],
        )
        for name, module in modules.items()
    ]


def norm_kind(module: nn.Module) -> str:
    """Which of the normalizations in `facts.toml` it is."""
    return "rms-norm" if re.search(FACTS["rms-norm"].type, type(module).__name__) else "layer-norm"


def source(kind: type[nn.Module]) -> Source | None:
    """Of a module's class; None where there is no file of it."""
    try:
        lines, first = inspect.getsourcelines(kind)
        path = Path(inspect.getsourcefile(kind) or "")
    except (OSError, TypeError):
        return None
    [*_, below] = path.as_posix().split("/site-packages/")
    return Source(file=below, first=first, last=first + len(lines) - 1, code="".join(lines))


def _around(name: str, modules: Mapping[str, Any]) -> str:
    """The module around one; a shared module has one name, and so may what is around it."""
    parent = name.rpartition(".")[0]
    return parent if parent in modules else _around(parent, modules)


def _parameters(modules: Mapping[str, nn.Module]) -> tuple[dict[str, int], dict[str, str]]:
    """How many each has of its own, and which it has from others."""
    first: dict[int, str] = {}
    own, shared = {}, {}
    for name, module in modules.items():
        own[name] = 0
        for label, parameter in module.named_parameters(recurse=False):
            path = f"{name}.{label}" if name else label
            if id(parameter) in first:
                shared[name] = first[id(parameter)]
            else:
                first[id(parameter)] = path
                own[name] += parameter.numel()
    return own, shared


def _operations(done: Pass) -> Mapping[str, int]:
    """Multiply-adds of each module's own matrix products: those with a weight, and attention's two."""
    found: dict[str, int] = defaultdict(int)
    for call in done.calls:
        weight = dict(call.module.named_parameters(recurse=False)).get("weight")
        if weight is not None and weight.dim() == 2 and call.given.numel() and call.given.is_floating_point():
            found[call.name] += weight.numel() * (call.given.numel() // call.given.shape[-1])
    for one in done.attended:
        heads, rows, size = one.queries.shape
        found[one.name] += heads * rows * one.keys.shape[1] * (size + one.values.shape[2])
    return found


def _kinds(done: Pass, found: Sequence[Block]) -> dict[str, str]:
    """Of the modules that do something in a block, by what they do there."""
    kinds: dict[str, str] = {"": "network"}
    for block in found:
        kinds[block.name] = "block"
        kinds[block.name.rpartition(".")[0]] = "stack"
        for sublayer in block.sublayers:
            if sublayer.projection:
                kinds[sublayer.projection] = "output-projection" if sublayer.attention else "down-projection"
            kinds.setdefault(sublayer.module, sublayer.kind)
            if sublayer.attention:
                inside = sublayer.attention.name
                while inside != block.name:  # what is around it, too
                    kinds[inside] = sublayer.kind
                    inside = inside.rpartition(".")[0]
            else:
                for call in sublayer.calls:
                    weight = getattr(call.module, "weight", None)
                    if weight is not None and weight.dim() == 2 and "lora_" not in call.name:
                        gate = "gate" in call.name.rpartition(".")[2]
                        kinds.setdefault(call.name, "gate-projection" if gate else "up-projection")
    head = done.network.get_output_embeddings()
    kinds |= {name: "unembedding" for name, one in done.network.named_modules() if one is head}
    return kinds


def kind_of(name: str, module: nn.Module, config: Any) -> str:
    """Its entry in `facts.toml`, by the class and the name."""
    rows = getattr(module, "num_embeddings", None)
    if rows is not None and rows == getattr(config, "vocab_size", None):
        return "token-embedding"
    last = name.rpartition(".")[2]
    for kind, fact in FACTS.items():
        if (fact.type and re.search(fact.type, type(module).__name__)) or (
            fact.name and re.fullmatch(fact.name, last)
        ):
            return kind
    return "group" if any(True for _ in module.children()) else "other"
