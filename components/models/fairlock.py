"""A lock that serves its waiters in the order they came, those first who have had little of it."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from time import monotonic

# Seconds that a waiter lets others pass, at most, however much it has had.
HEAD_START = 1.0

_numbers = count()


@dataclass(order=True)
class _Waiter:
    """Ordered by when it asked, as if later by what it has had."""

    asked: float
    number: int = field(default_factory=lambda: next(_numbers))
    light: bool = field(default=False, compare=False)
    thread: int = field(default_factory=threading.get_ident, compare=False)
    admitted: threading.Event = field(default_factory=threading.Event, compare=False)


class FairLock:
    """A `threading.Lock` goes to whoever is running: a thread that takes it again at once starves all others.

    Here a release hands the lock to the waiter who asked first, as if each had asked later by what it has
    had of the lock before: short work is not held up by long work, which waits at most `HEAD_START` longer.

    Light work need not even wait for the release: while the holder shares the lock, one light turn at a time
    runs beside it.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._queue: list[_Waiter] = []  # a heap
        self._holder: _Waiter | None = None
        self._guest: _Waiter | None = None  # whose light turn is beside the holder's
        self._shared = False
        self._alone = threading.Event()  # set when a guest leaves a holder that shares no longer

    def turn(self, used: float = 0.0, light: bool = False) -> Turn:
        """Holds the lock inside `with`; `used` is for how many seconds the work has held it already."""
        return Turn(self, used, light)

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Lets light turns in beside the holder's, whose thread this is; it has the lock to itself after it.

        Changes nothing in a light turn that is beside another, or where nobody has the lock.
        """
        holder = self._holder
        if holder is None or holder.thread != threading.get_ident():
            yield
            return
        with self._guard:
            self._shared = True
            self._admit_guest()
        try:
            yield
        finally:
            with self._guard:
                self._shared = False
                self._alone.clear()
                wait = self._guest is not None
            if wait:
                self._alone.wait()

    def acquire(self, used: float, light: bool) -> _Waiter:
        mine = _Waiter(monotonic() + min(used, HEAD_START), light=light)
        with self._guard:
            if self._holder is None:
                self._holder = mine
                return mine
            heapq.heappush(self._queue, mine)
            self._admit_guest()
        try:
            mine.admitted.wait()
        except (
            BaseException
        ):  # an interrupt while waiting: leave the queue, or pass on what was just handed over
            with self._guard:
                admitted = mine.admitted.is_set()
                if not admitted:
                    self._queue.remove(mine)
                    heapq.heapify(self._queue)
            if admitted:
                self.release(mine)
            raise
        return mine

    def release(self, mine: _Waiter) -> None:
        with self._guard:
            if mine is self._guest:
                self._guest = None
                self._admit_guest()
                if not self._shared:
                    self._alone.set()
                return
            self._holder = heapq.heappop(self._queue) if self._queue else None
            if self._holder is not None:
                self._holder.admitted.set()

    def _admit_guest(self) -> None:
        """With the guard held."""
        if not self._shared or self._guest is not None:
            return
        if light := [one for one in self._queue if one.light]:
            self._guest = min(light)
            self._queue.remove(self._guest)
            heapq.heapify(self._queue)
            self._guest.admitted.set()


@dataclass
class Turn:
    """Given back at the end of `with` and by nothing else, not even when it is collected as garbage."""

    lock: FairLock
    used: float
    light: bool
    _mine: _Waiter | None = None

    def __enter__(self) -> None:
        self._mine = self.lock.acquire(self.used, self.light)

    def __exit__(self, *_: object) -> None:
        if self._mine is not None:
            self.lock.release(self._mine)
