"""Answers that are kept for a while, so that asking again, or for another part, costs no forward pass."""

from __future__ import annotations

import hashlib
import json
import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from components.tasks.task import Answer

R = TypeVar("R")


def pickled(answer: Answer[Any]) -> int:
    """Bytes of an answer whose result is a few numbers and texts."""
    return len(pickle.dumps(answer))


class AnswerCache(Generic[R]):
    """The latest answers, as many as there is room for; the last one stays however large it is.

    `room` and what `size` says of an answer are in bytes.
    """

    def __init__(self, room: int, size: Callable[[Answer[R]], int] = pickled) -> None:
        self._room = room
        self._size = size
        self._used = 0
        self._kept: OrderedDict[str, tuple[Answer[R], int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Answer[R] | None:
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def put(self, key: str, answer: Answer[R]) -> None:
        size = self._size(answer)
        with self._lock:
            _, before = self._kept.pop(key, (None, 0))
            self._kept[key] = answer, size
            self._used += size - before
            while len(self._kept) > 1 and self._used > self._room:
                _, (_, size) = self._kept.popitem(last=False)
                self._used -= size


def key(*asked: object) -> str:
    """A name for what was asked; nobody finds it out without knowing that."""
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:32]
