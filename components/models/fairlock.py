"""A lock that serves its waiters in the order they came."""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType


class FairLock:
    """First in, first out.

    A `threading.Lock` goes to whoever is running: a thread that takes it again at once
    starves all others. Here a release hands the lock to the first in the queue.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._queue: deque[threading.Event] = deque()
        self._held = False

    def __enter__(self) -> None:
        with self._guard:
            if not self._held:
                self._held = True
                return
            turn = threading.Event()
            self._queue.append(turn)
        try:
            turn.wait()
        except (
            BaseException
        ):  # an interrupt while waiting: leave the queue, or pass on what was just handed over
            with self._guard:
                handed = turn.is_set()
                if not handed:
                    self._queue.remove(turn)
            if handed:
                self._release()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    def _release(self) -> None:
        with self._guard:
            if self._queue:
                self._queue.popleft().set()
            else:
                self._held = False
