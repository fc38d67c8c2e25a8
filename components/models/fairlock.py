"""A lock that serves its waiters in the order they came, those first who have had little of it."""

from __future__ import annotations

import heapq
import threading
from dataclasses import dataclass
from itertools import count
from time import monotonic

# Seconds that a waiter lets others pass, at most, however much it has had.
HEAD_START = 1.0


class FairLock:
    """A `threading.Lock` goes to whoever is running: a thread that takes it again at once starves all others.

    Here a release hands the lock to the waiter who asked first, as if each had asked later by what it has
    had of the lock before: short work is not held up by long work, which waits at most `HEAD_START` longer.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._queue: list[tuple[float, int, threading.Event]] = []  # a heap
        self._numbers = count()
        self._held = False

    def turn(self, used: float = 0.0) -> Turn:
        """Holds the lock inside `with`; `used` is for how many seconds the work has held it already."""
        return Turn(self, used)

    def acquire(self, used: float) -> None:
        with self._guard:
            if not self._held:
                self._held = True
                return
            handed = threading.Event()
            asked = (monotonic() + min(used, HEAD_START), next(self._numbers), handed)
            heapq.heappush(self._queue, asked)
        try:
            handed.wait()
        except (
            BaseException
        ):  # an interrupt while waiting: leave the queue, or pass on what was just handed over
            with self._guard:
                mine = handed.is_set()
                if not mine:
                    self._queue.remove(asked)
                    heapq.heapify(self._queue)
            if mine:
                self.release()
            raise

    def release(self) -> None:
        with self._guard:
            if self._queue:
                *_, handed = heapq.heappop(self._queue)
                handed.set()
            else:
                self._held = False


@dataclass(frozen=True)
class Turn:
    """Given back at the end of `with` and by nothing else, not even when it is collected as garbage."""

    lock: FairLock
    used: float

    def __enter__(self) -> None:
        self.lock.acquire(self.used)

    def __exit__(self, *_: object) -> None:
        self.lock.release()
