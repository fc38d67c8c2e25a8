"""How much memory processes take that somebody else starts."""

from __future__ import annotations

import threading
from types import TracebackType

import psutil

EVERY = 0.02  # seconds between looks


class Peak:
    """The most memory, in bytes, that a process had that this one has started inside the block."""

    def __init__(self) -> None:
        self.nbytes = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._record)
        self._before: set[int] = set()

    def __enter__(self) -> Peak:
        self._before = {child.pid for child in psutil.Process().children()}
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _record(self) -> None:
        while not self._done.wait(EVERY):
            for child in psutil.Process().children():
                if child.pid not in self._before:
                    try:
                        self.nbytes = max(self.nbytes, child.memory_info().rss)
                    except psutil.Error:  # it has just ended
                        continue
