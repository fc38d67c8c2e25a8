"""Which rows of several requests for one model go through its network together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from math import inf
from operator import attrgetter
from time import perf_counter
from typing import Any, Generic, TypeVar

from components.models import devices

T = TypeVar("T")
Batch = list[tuple["Waiting[T]", int]]  # requests and places of their rows

# A request that is not alone may fill so much of a pass: one over this.
CROWD = 4
# Rows up to this share of a pass are run with those of others; longer ones fill the device by themselves.
SHORT = 0.125
# Rows of a pass are at least this share of the longest one, so that little of it is padding.
LEAST_FULL = 0.5


@dataclass(eq=False)
class Waiting(Generic[T]):
    """One request's rows that are still to be run; `key` says with whose they can share a pass.

    `outputs` are those that there are, by place. `seconds` is how long the passes took that others ran.
    """

    key: Hashable
    rows: Sequence[Any]
    lengths: Sequence[int]
    outputs: dict[int, T] = field(default_factory=dict)
    tokens: int = 0  # of the rows that were run
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self._order = sorted(range(len(self.rows)), key=lambda place: -self.lengths[place])

    @property
    def left(self) -> Iterator[int]:
        """Places of the rows to run, the longest first."""
        return (place for place in self._order if place not in self.outputs)

    @property
    def done(self) -> bool:
        return len(self.outputs) == len(self.rows)

    def is_short(self, room: int) -> bool:
        """Whether its rows are run with those of others, in passes of `room` padded tokens."""
        return max(self.lengths, default=0) <= SHORT * room


class _Seconds(threading.local):
    value = 0.0


@dataclass(eq=False)
class Passes:
    """The requests that wait for one model, in the order they came. Guarded by the turns on the device.

    In `beside` a long pass is run: turns of short requests need not wait for its end.
    """

    waiting: list[Waiting[Any]] = field(default_factory=list)
    beside: Callable[[], AbstractContextManager[None]] = nullcontext
    _seconds: _Seconds = field(default_factory=_Seconds)

    @property
    def seconds(self) -> float:
        """Those of passes that others ran, for the request whose turn it is in this thread."""
        return self._seconds.value

    @seconds.setter
    def seconds(self, value: float) -> None:
        self._seconds.value = value

    def enter(self, request: Waiting[Any]) -> None:
        self.waiting.append(request)

    def leave(self, request: Waiting[Any]) -> None:
        self.waiting.remove(request)
        self.seconds += request.seconds

    def run(self, own: Waiting[T], room: int, outputs: Callable[[Batch[T]], Sequence[T]]) -> None:
        """Runs a pass: `outputs` gives those of its rows. A short request runs no long rows of others.

        What fails is tried again with rows of the request alone, for it may be the fault of another's; where
        memory runs out, with fewer and fewer rows.
        """
        begun = perf_counter()
        sharing = [one for one in list(self.waiting) if one.key == own.key and not one.done]
        short = own.is_short(room)
        longest = SHORT * room if short else inf
        with nullcontext() if short else self.beside():
            while True:
                batch = pick(sharing, room, longest)
                try:
                    found = outputs(batch)
                    break
                except Exception as error:
                    alone = all(one is own for one, _ in batch)
                    if alone and (len(batch) == 1 or not devices.out_of_memory(error)):
                        raise
                # Here the error is gone, and with it the tensors that its frames held.
                if alone:
                    room //= 2
                sharing = [own]
        for (one, place), output in zip(batch, found, strict=True):
            one.outputs[place] = output
            one.tokens += one.lengths[place]
        for one in {one for one, _ in batch} - {own}:
            one.seconds += perf_counter() - begun


def pick(requests: Sequence[Waiting[T]], room: int, most: float = inf) -> Batch[T]:
    """The rows of the next pass, which has at most `room` padded tokens, or one row; none is longer than
    `most`.

    The request that had least of the network so far is served first (least attained service; Nuyens and
    Wierman 2008, https://doi.org/10.1016/j.peva.2007.06.028). If its rows are short, rows of others that are
    about as long fill the pass.
    """
    share = room if len(requests) == 1 else room // CROWD
    picked: Batch[T] = []
    longest = 0
    for one in sorted(requests, key=attrgetter("tokens")):
        if longest > SHORT * room:
            break
        own = 0
        for place in one.left:
            length = one.lengths[place]
            if length > most:
                continue
            width = max(longest, length)
            if picked and (len(picked) + 1) * width > room:
                return picked
            if own and (own + 1) * width > share:
                break
            if not picked or LEAST_FULL * longest <= length <= longest / LEAST_FULL:
                picked.append((one, place))
                longest = width
                own += 1
    return picked
