"""What can be known of a checkpoint and of memory at a moment, without waiting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from components.models.checkpoint import Checkpoint

# Called by work under way with its share in [0, 1] (None if unknown) and its stage in words. It may
# raise to give the work up.
Report = Callable[[float | None, str], None]


class State(StrEnum):
    ABSENT = "absent"
    FETCHING = "fetching"
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


class Availability(StrEnum):
    """What picking a checkpoint would cost."""

    LOADED = "loaded"
    CACHED = "cached"
    DOWNLOAD = "download"
    UNREACHABLE = "unreachable"

    @property
    def on_host(self) -> bool:
        """Whether it costs no download."""
        return self in (Availability.LOADED, Availability.CACHED)


@dataclass(frozen=True, kw_only=True)
class Status:
    """`share` in [0, 1] of the stage under way, None if unknown; `nbytes` in memory, measured.

    `leases` are those of visitors; `adapters` are loaded on this checkpoint as their body, and what
    they add is not in its `nbytes`.
    """

    checkpoint: Checkpoint
    state: State
    availability: Availability
    share: float | None
    stage: str
    error: str | None
    nbytes: int
    leases: int
    adapters: tuple[str, ...]
    device: str | None


@dataclass(frozen=True)
class Memory:
    """Bytes of device memory. Before the first load `device` may be "auto": not chosen yet."""

    used: int
    budget: int
    device: str
