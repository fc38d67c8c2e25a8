"""A device that is not the CPU, on a host that has no other: tensors say that they lie there, and refuse to
be mixed with those of the CPU, as those of an accelerator do. The numbers are the CPU's.

What CUDA bears is borne: a scalar of the CPU in arithmetic, and indices that lie on the CPU.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import _DummyBackendModule, _setup_privateuseone_for_python_backend

aten = torch.ops.aten
NAME = "elsewhere"
# What takes tensors of both: indices may lie on the CPU, and copies lead from one to the other.
BOTH = {
    *(aten.index.Tensor, aten.index_put_.default, aten.index_put.default, aten._index_put_impl_.default),
    aten.copy_.default,
}


class Elsewhere(torch.Tensor):
    """`here` has the numbers."""

    here: torch.Tensor

    @staticmethod
    def __new__(cls, here: torch.Tensor) -> Elsewhere:
        with torch.inference_mode(False):  # whose tensors cannot be views of others
            found: Elsewhere = torch.Tensor._make_wrapper_subclass(
                cls,
                here.size(),
                strides=here.stride(),
                storage_offset=here.storage_offset(),
                dtype=here.dtype,
                layout=here.layout,
                device=torch.device(NAME, 0),
                requires_grad=False,
            )
        found.here = here
        return found

    def tolist(self) -> Any:
        return self.here.tolist()  # which torch gives of no subclass

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]
        return f"Elsewhere({self.here!r})"

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return run(func, args, kwargs or {})


class _Factories(TorchDispatchMode):
    """Makes tensors there where a device is named."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return run(func, args, kwargs or {})


class _Functions(TorchFunctionMode):
    """What modes do not see into: tensors made of Python's numbers go there in a second step."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        device = kwargs.get("device")
        if func in (torch.tensor, torch.as_tensor) and device is not None and is_there(device):
            return func(*args, **{**kwargs, "device": "cpu"}).to(device)
        if func is torch.Tensor.new_tensor and isinstance(args[0], Elsewhere):
            return args[0].here.new_tensor(*args[1:], **kwargs).to(args[0].device)
        if func is torch.Tensor.__getitem__ and isinstance(args[0], Elsewhere):
            where = args[1] if isinstance(args[1], tuple) else (args[1],)
            return func(args[0], tuple(torch.tensor(one) if isinstance(one, list) else one for one in where))
        if func in (torch.matmul, torch.Tensor.matmul, torch.Tensor.__matmul__) and args[0].dim() == 1:
            return func(args[0][None], args[1])[0]  # torch would change a shape in place, unseen
        return func(*args, **kwargs)


@contextmanager
def _modes() -> Iterator[None]:
    """Of one thread. Gradients are computed in it: one of the device's own would know nothing of this."""
    with torch.autograd.set_multithreading_enabled(False), _Factories(), _Functions():
        yield


def is_there(device: Any) -> bool:
    return torch.device(device).type == NAME


class _Generator(torch.Generator):
    """Random numbers are the CPU's too."""

    def __new__(cls, device: Any = "cpu") -> _Generator:
        where = "cpu" if is_there(device) else device
        return super().__new__(cls, device=where)  # type: ignore[call-arg]


def run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """The operation on the CPU's numbers; its result lies where its tensors do, or where it says."""
    whole = tree_leaves((args, kwargs))
    there = [one for one in whole if isinstance(one, Elsewhere)]
    strays = [
        one for one in whole if isinstance(one, torch.Tensor) and not isinstance(one, Elsewhere) and one.dim()
    ]
    devices = [one.type for one in whole if isinstance(one, torch.device)]
    if there and strays and func not in BOTH:
        raise RuntimeError(
            f"{func}: tensors on {NAME} and on the CPU, {[tuple(one.shape) for one in strays]}"
        )

    def inner(one: Any) -> Any:
        if isinstance(one, torch.device):
            return torch.device("cpu")
        return one.here if isinstance(one, Elsewhere) else one

    given, named = tree_map(inner, (args, kwargs))
    found = func(*given, **named)
    if func is aten.copy_.default:  # in place, wherever that is
        return args[0]
    if NAME not in devices and (devices or not there):
        return found
    known = {id(one.here): one for one in there}

    def placed(one: Any) -> Any:
        if not isinstance(one, torch.Tensor):
            return one
        return known[id(one)] if id(one) in known else Elsewhere(one)

    return tree_map(placed, found)


class _Hidden(_DummyBackendModule):
    """What picks the best device there is, such as other tests of the process, passes over this one; so does
    what goes through all devices, such as `torch.random.fork_rng`.
    """

    def is_available(self) -> bool:
        return False

    def device_count(self) -> int:
        return 0


def register() -> torch.device:
    """Makes torch know the device; once in a process."""
    if torch._C._get_privateuse1_backend_name() != NAME:
        _setup_privateuseone_for_python_backend(NAME, backend_module=_Hidden())
    return torch.device(NAME, 0)


@contextmanager
def there() -> Iterator[torch.device]:
    """Where tensors can be made on the device, also in threads that are started meanwhile."""
    device = register()
    alone = threading.Thread.run

    def in_modes(thread: threading.Thread) -> None:
        with _modes():
            alone(thread)

    with (
        patch.object(threading.Thread, "run", in_modes),
        patch.object(torch, "Generator", _Generator),
        _modes(),
    ):
        yield device
