"""Where networks run and how much fits there. torch is imported when first asked, not before."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from components.models.errors import Code, TourError

if TYPE_CHECKING:
    import torch

_M_ARENA_MAX = -8  # of malloc.h
SHARE = 0.7  # of the free memory: the rest is for activations, caches and everything else


def pick(name: str | None) -> torch.device:
    """The device asked for ("cuda", "mps", "cpu"), or the best there is."""
    import torch

    usable = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name is None:
        name = next(kind for kind, there in usable.items() if there)
    if not usable.get(name.partition(":")[0], False):
        there = ", ".join(kind for kind, ok in usable.items() if ok)
        raise TourError(Code.LOAD_FAILED, f"The device {name!r} is not usable here; choose one of: {there}.")
    return torch.device(name)


def precision(device: torch.device) -> torch.dtype:
    """bfloat16 where CUDA computes in it; else float32, whose answers are the same on every host."""
    import torch

    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.bfloat16
    return torch.float32


def default_budget(device: torch.device | None) -> int:
    """A share of the device's free memory in bytes; of the host's while no device is chosen."""
    return int(SHARE * _free(device))


def _free(device: torch.device | None) -> int:
    if device is not None and device.type == "cuda":
        import torch

        return torch.cuda.mem_get_info(device)[0]
    if device is not None and device.type == "mps":
        import torch

        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    return min(psutil.virtual_memory().available, _free_in_container())


def _free_in_container(root: Path = Path("/sys/fs/cgroup")) -> int:
    """What a container's limit (cgroup v2, then v1) leaves; psutil sees the whole host.

    Files in the page cache count as usage there, but make room when memory is asked for.
    """
    for limit, usage, cached in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
    ):
        with suppress(OSError, ValueError, KeyError):  # no such file, or "max"
            allowed, used = int((root / limit).read_text()), int((root / usage).read_text())
            lines = (root / usage).with_name("memory.stat").read_text().splitlines()
            reclaimable = int(dict(line.split() for line in lines)[cached])
            return max(0, allowed - used + reclaimable)
    return sys.maxsize


def release(device: torch.device | None) -> None:
    """Give memory of dropped networks back to the device and the system, so that others can have it."""
    gc.collect()
    if device is not None and device.type == "cuda":
        import torch

        torch.cuda.empty_cache()
    elif device is not None and device.type == "mps":
        import torch

        torch.mps.empty_cache()
    give_back()


def keep_little() -> None:
    """Has glibc keep freed memory in two places instead of eight for each processor, and MKL none.

    Each thread that allocates gets an arena until there are so many, and each of them grows to what its
    threads once needed at most. MKL keeps buffers for each thread that ever multiplied, for good, unless it
    is told not to before it is loaded. Call this before there are threads. `MALLOC_ARENA_MAX` and
    `MKL_DISABLE_FAST_MM` win.
    """
    os.environ.setdefault("MKL_DISABLE_FAST_MM", "1")
    if "MALLOC_ARENA_MAX" not in os.environ and (libc := _glibc()):
        libc.mallopt(_M_ARENA_MAX, 2)


def give_back() -> None:
    """Freed memory, which glibc keeps for later, goes back to the system."""
    if libc := _glibc():
        libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """The C library if it is glibc; others have no such functions, and keep less."""
    if sys.platform == "linux":
        with suppress(OSError):
            libc = ctypes.CDLL("libc.so.6")
            if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim"):
                return libc
    return None


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the device, or the host, has no memory left."""
    if isinstance(error, MemoryError):
        return True
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(error, RuntimeError):
        return False
    # torch.OutOfMemoryError comes from accelerators; the CPU's allocator raises a plain RuntimeError.
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)
