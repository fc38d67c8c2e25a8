"""What a drawing of a network shows: its sides, each with what comes before, in and after its blocks. Blocks
with the same structure in a row are one entry. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from components.insight.anatomy.blocks import Block, is_norm
from components.insight.anatomy.forward import Call, Pass


def sketch(done: Pass, found: Sequence[Block]) -> list[dict[str, Any]]:
    """Per side {"side", "before": names, "blocks": entries, "after": names}; an entry has the name of its
    first and last block, how many they are, and its sublayers: {kind, part, norm before it or "", norm on the
    stream behind it or "", parts: names}. A module that ran for both sides stands in the first."""
    drawn: list[dict[str, Any]] = []
    taken: set[str] = set()
    ends = [0, *(max(one.call.end for one in own) for own in _sides(found))]
    for own, start in zip(_sides(found), ends, strict=False):
        first, last = own[0].call, own[-1].call
        last_side = own[-1] is found[-1]
        outer = [one for one in done.calls if _outer(one, done, found) and one.name not in taken]
        before = [one for one in outer if start <= one.begin and one.end < first.begin]
        end = max(one.end for one in done.calls) if last_side else None
        after = [
            one
            for one in outer
            if one.begin > last.end and (end is not None or (is_norm(one) and one.given is last.output))
        ]
        drawn.append(
            {
                "side": own[0].side,
                "before": _names(before, taken),
                "blocks": list(_folded(done, own)),
                "after": _names(after, taken),
            }
        )
    return drawn


def _sides(found: Sequence[Block]) -> list[list[Block]]:
    return [list(own) for _, own in groupby(found, key=lambda one: one.side)]


def _outer(call: Call, done: Pass, found: Sequence[Block]) -> bool:
    """A module without parts, or with parameters of its own, that is in no block."""
    inside = any(call.name == one.name or call.name.startswith(f"{one.name}.") for one in found)
    works = not any(True for _ in call.module.children()) or any(
        True for _ in call.module.parameters(recurse=False)
    )
    return bool(call.name) and not inside and works and "Dropout" not in type(call.module).__name__


def _names(calls: Sequence[Call], taken: set[str]) -> list[str]:
    found = list(dict.fromkeys(one.name for one in sorted(calls, key=lambda one: one.begin)))
    taken.update(found)
    return found


def _folded(done: Pass, own: Sequence[Block]) -> Iterator[dict[str, Any]]:
    for _, same_kind in groupby(own, key=lambda block: _signature(done, block)):
        group = list(same_kind)
        yield {
            "first": group[0].name,
            "last": group[-1].name,
            "from": group[0].index,
            "count": len(group),
            "sublayers": [
                {
                    "kind": one.kind,
                    "part": one.attention.name if one.attention else one.module,
                    "norm": one.norm or "",
                    "after": one.step.norm.name if one.step.norm and one is _last_of(group[0], one) else "",
                    "parts": _leaves(one.calls, one.norm),
                }
                for one in group[0].sublayers
            ],
        }


def _last_of(block: Block, one: Any) -> Any:
    """Of the sublayers that write at once the last one."""
    return [other for other in block.sublayers if other.step is one.step][-1]


def _leaves(calls: Sequence[Call], norm: str | None) -> list[str]:
    """What a sublayer consists of, without what changes nothing."""
    found = [
        one.name
        for one in sorted(calls, key=lambda one: one.begin)
        if not any(True for _ in one.module.children())
        and one.name != norm
        and not any(word in type(one.module).__name__ for word in ("Dropout", "Identity"))
    ]
    return list(dict.fromkeys(found))


def _signature(done: Pass, block: Block) -> tuple[Any, ...]:
    """What must be the same for two blocks to be drawn as one."""
    module = done.network.get_submodule(block.name)
    shapes = tuple((name, tuple(tensor.shape)) for name, tensor in module.named_parameters())
    kinds = tuple((one.kind, bool(one.norm), one.step.norm is None) for one in block.sublayers)
    return (type(module).__name__, shapes, kinds)
